import { z } from "zod";
import {
  vaultKeyPattern,
  vaultMountPattern,
  vaultNamespacePattern,
  vaultRolePattern,
} from "../../kms/vault/vault-name.ts";
import { filePath } from "./scalars.ts";

const pathPart = (pattern: string, fix: string) => z.string().regex(new RegExp(pattern), fix);

const mount = pathPart(vaultMountPattern, "Write the mount's path without v1/ and without a / at either end.");
const role = pathPart(vaultRolePattern, "Write one word of printable characters.");

const clientCertificate = z.strictObject({ cert: filePath, key: filePath });

const client = clientCertificate.optional().meta({
  description: "A certificate to show in TLS, for a service that lets nobody near without one, PEM.",
});

const token = z.strictObject({
  method: z.literal("token"),
  tokenFile: filePath.meta({ description: "Read anew when it changes; mode 0640 or stricter." }),
  client,
});

const kubernetes = z.strictObject({
  method: z.literal("kubernetes"),
  role,
  tokenFile: filePath.optional().meta({
    description: "A projected token of the service account with an audience; default the pod's own.",
  }),
  mount: mount.default("kubernetes"),
  client,
});

const approle = z.strictObject({
  method: z.literal("approle"),
  roleId: role,
  secretIdFile: filePath.meta({ description: "Read at each login; mode 0640 or stricter." }),
  mount: mount.default("approle"),
  client,
});

const cert = z.strictObject({
  method: z.literal("cert"),
  ...clientCertificate.shape,
  role: role.optional().meta({ description: "Default: whichever role takes the certificate." }),
  mount: mount.default("cert"),
});

/** A member of `kms` with provider `vault`. */
export const vaultSchema = z
  .strictObject({
    provider: z.literal("vault"),
    address: z.string().meta({ description: "https://, a host, and a port if need be." }),
    mount: mount.default("transit").meta({ description: "Where the transit engine is mounted." }),
    key: pathPart(vaultKeyPattern, "Write the key's name: letters, digits, _, - and . only.").meta({
      description: "A key that was made with derived=true: only such a one binds what it wraps to tenant and dataset.",
    }),
    namespace: pathPart(vaultNamespacePattern, "Write the namespace's path, such as hospital/cardiology.").optional(),
    auth: z.discriminatedUnion("method", [token, kubernetes, approle, cert]),
    ca: filePath.optional().meta({ description: "Authorities that the address is checked against, PEM." }),
    minVersion: z
      .enum(["TLSv1.3", "TLSv1.2"])
      .default("TLSv1.3")
      .meta({ description: "TLSv1.2 only for a service that cannot speak 1.3." }),
  })
  .meta({ description: "The transit engine of HashiCorp Vault or OpenBao." });

export type VaultFile = z.output<typeof vaultSchema>;
