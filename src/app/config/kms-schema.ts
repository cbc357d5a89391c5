import { z } from "zod";
import { gcpKeyPattern } from "../../kms/gcp/gcp-key-name.ts";
import { defaultPkcs11Sessions, gcpProtectionLevels, pkcs11Mechanisms } from "../../kms/kms-config.ts";
import { parseRecoveryRecipient, recoveryRecipientPattern } from "../../kms/recovery/recovery-key.ts";
import { filePath, parsedText } from "./scalars.ts";
import { vaultSchema } from "./vault-schema.ts";

const local = z
  .strictObject({
    provider: z.literal("local"),
    keyFile: filePath.meta({ description: "Made by `sealwright kek create`; mode 0600." }),
  })
  .meta({ description: "A key in a file. For development: whoever reads the file reads everything." });

/** For editors; what is no key of the region is refused by the rule kms-key-id. */
const awsKeyPattern = "^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/)?(mrk-)?[0-9a-f-]{32,36}$";

const aws = z
  .strictObject({
    provider: z.literal("aws"),
    keyId: z.string().meta({ pattern: awsKeyPattern, description: "The key's ARN or its bare id, never an alias." }),
    region: z.string().regex(/^[a-z]{2}[a-z0-9-]{3,30}$/, "Write a region such as eu-west-1."),
    endpoint: z.string().optional().meta({ description: "For private endpoints and tests." }),
    fips: z.boolean().default(false).meta({
      description: "The region's FIPS endpoint. AWS_USE_FIPS_ENDPOINT has no say.",
    }),
    dualStack: z.boolean().default(false).meta({
      description: "The region's endpoint for IPv4 and IPv6. AWS_USE_DUALSTACK_ENDPOINT has no say.",
    }),
    ca: filePath.optional().meta({ description: "Authorities that the endpoint is checked against, PEM." }),
    minVersion: z
      .enum(["TLSv1.3", "TLSv1.2"])
      .default("TLSv1.3")
      .meta({ description: "TLSv1.2 only for an endpoint that cannot speak 1.3." }),
  })
  .meta({ description: "AWS KMS. Credentials come from the default chain, never from this file." });

const gcp = z
  .strictObject({
    provider: z.literal("gcp"),
    keyName: z
      .string()
      .regex(
        new RegExp(gcpKeyPattern),
        "Write projects/ID/locations/L/keyRings/R/cryptoKeys/K: the project's id, not its number, and no version.",
      )
      .meta({ description: "The key's resource name, without a version." }),
    protectionLevel: z
      .enum(gcpProtectionLevels)
      .optional()
      .meta({ description: "What every answer must say protects the key; absent = not looked at." }),
    endpoint: z.string().optional().meta({ description: "For private and regional endpoints, and tests." }),
    ca: filePath.optional().meta({ description: "Authorities that the endpoint is checked against, PEM." }),
  })
  .meta({ description: "Google Cloud KMS. Credentials are Application Default Credentials, never from this file." });

const pkcs11 = z
  .strictObject({
    provider: z.literal("pkcs11"),
    module: filePath.meta({ description: "The vendor's PKCS #11 library." }),
    token: z.string().min(1).max(32).meta({ description: "The token's label." }),
    key: z.string().min(1).max(255).meta({ description: "The label of one AES-256 key that may not leave the token." }),
    pinFile: filePath.meta({
      description: "The user's PIN, alone in a file; readable for its owner and group at most.",
    }),
    mechanism: z
      .enum(pkcs11Mechanisms)
      .default("aes-gcm")
      .meta({ description: "How data keys are wrapped. Permanent: what one wrapped the other does not unwrap." }),
    sessions: z.int().min(1).max(64).default(defaultPkcs11Sessions).meta({
      description: "Calls under way at most. Each holds one of the process's IO threads (UV_THREADPOOL_SIZE).",
    }),
  })
  .meta({ description: "An HSM through PKCS #11. Needs the optional package pkcs11js." });

const recovery = z
  .strictObject({
    provider: z.literal("recovery"),
    recipient: parsedText(
      "recovery-recipient",
      (text) => (parseRecoveryRecipient(text) === undefined ? undefined : text),
      recoveryRecipientPattern,
    ),
    secretFile: filePath.optional().meta({
      description: "Break glass: what `sealwright kek recovery` wrote, where this KEK is to unwrap; mode 0600.",
    }),
  })
  .meta({
    description: "An offline recovery key: wraps every data key too, and unwraps only with the secret from the safe.",
  });

/** One member of `kms`. */
export const kmsSchema = z.discriminatedUnion("provider", [local, pkcs11, recovery, aws, vaultSchema, gcp]);

export type KmsFile = z.output<typeof kmsSchema>;
