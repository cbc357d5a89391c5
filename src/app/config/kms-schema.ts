import { z } from "zod";
import { filePath } from "./scalars.ts";

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

/** One member of `kms`. */
export const kmsSchema = z.discriminatedUnion("provider", [local, aws]);

export type KmsFile = z.output<typeof kmsSchema>;
