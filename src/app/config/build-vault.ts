import { resolve } from "node:path";
import type { VaultKmsConfig } from "../../kms/kms-config.ts";
import type { VaultAuth } from "../../kms/vault/vault-auth.ts";
import type { VaultFile } from "./vault-schema.ts";

type AuthFile = VaultFile["auth"];
type CertificateFile = NonNullable<Exclude<AuthFile, { method: "cert" }>["client"]>;

function authConfig(auth: AuthFile, folder: string): VaultAuth {
  const certificate = ({ cert, key }: CertificateFile): CertificateFile => ({
    cert: resolve(folder, cert),
    key: resolve(folder, key),
  });
  const shown = auth.method === "cert" || auth.client === undefined ? {} : { client: certificate(auth.client) };
  switch (auth.method) {
    case "token":
      return { method: auth.method, tokenFile: resolve(folder, auth.tokenFile), ...shown };
    case "kubernetes": {
      const { method, role, mount, tokenFile } = auth;
      const token = tokenFile === undefined ? {} : { tokenFile: resolve(folder, tokenFile) };
      return { method, role, mount, ...token, ...shown };
    }
    case "approle": {
      const { method, roleId, mount, secretIdFile } = auth;
      return { method, roleId, mount, secretIdFile: resolve(folder, secretIdFile), ...shown };
    }
    case "cert": {
      const { method, role, mount } = auth;
      return { method, mount, ...certificate(auth), ...(role === undefined ? {} : { role }) };
    }
  }
}

/** `folder` = where relative paths begin. */
export function vaultConfig(file: VaultFile, folder: string): VaultKmsConfig {
  const { address, mount, key, namespace, ca, minVersion } = file;
  return {
    provider: "vault",
    address,
    mount,
    key,
    auth: Object.freeze(authConfig(file.auth, folder)),
    ...(namespace === undefined ? {} : { namespace }),
    ...(ca === undefined ? {} : { ca: resolve(folder, ca) }),
    ...(minVersion === "TLSv1.2" ? { minVersion } : {}),
  };
}
