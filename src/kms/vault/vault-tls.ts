import type { VaultKmsConfig } from "../kms-config.ts";
import { readPublicFile } from "../../base/public-file.ts";
import { readSecretFile } from "../secret-file.ts";
import { clientCertificateOf } from "./vault-auth.ts";

/** What TLS to the service stands on: contents of PEM files. Absent = the system's authorities, no certificate shown. */
export interface VaultTlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

const longestKeyFile = 64 * 1024;

/** Throws `file_unreadable` (ca, cert), `key_file` (key). */
export async function readVaultTlsFiles({ ca, auth }: VaultKmsConfig): Promise<VaultTlsFiles> {
  const client = clientCertificateOf(auth);
  return {
    ...(ca === undefined ? {} : { ca: await readPublicFile(ca) }),
    ...(client === undefined
      ? {}
      : {
          cert: await readPublicFile(client.cert),
          key: await readSecretFile(client.key, { longest: longestKeyFile, readers: "group" }),
        }),
  };
}

export function isSameTls(a: VaultTlsFiles, b: VaultTlsFiles): boolean {
  return (["ca", "cert", "key"] as const).every((name) => (a[name] ?? empty).equals(b[name] ?? empty));
}

const empty = Buffer.alloc(0);
