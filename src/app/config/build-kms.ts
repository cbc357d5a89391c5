import { resolve } from "node:path";
import type { KmsConfig } from "../../kms/kms-config.ts";
import { vaultConfig } from "./build-vault.ts";
import type { KmsFile } from "./kms-schema.ts";

type KmsOf<P extends KmsFile["provider"]> = Extract<KmsFile, { provider: P }>;

function awsConfig(
  { keyId, region, endpoint, ca, minVersion, fips, dualStack }: KmsOf<"aws">,
  folder: string,
): KmsConfig {
  return {
    provider: "aws",
    keyId,
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca: resolve(folder, ca) }),
    ...(minVersion === "TLSv1.2" ? { minVersion } : {}),
    ...(fips ? { fips } : {}),
    ...(dualStack ? { dualStack } : {}),
  };
}

function gcpConfig({ keyName, protectionLevel, endpoint, ca }: KmsOf<"gcp">, folder: string): KmsConfig {
  return {
    provider: "gcp",
    keyName,
    ...(protectionLevel === undefined ? {} : { protectionLevel }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca: resolve(folder, ca) }),
  };
}

function recoveryConfig({ recipient, secretFile }: KmsOf<"recovery">, folder: string): KmsConfig {
  return {
    provider: "recovery",
    recipient,
    ...(secretFile === undefined ? {} : { secretFile: resolve(folder, secretFile) }),
  };
}

function pkcs11Config({ module, pinFile, ...rest }: KmsOf<"pkcs11">, folder: string): KmsConfig {
  return { ...rest, module: resolve(folder, module), pinFile: resolve(folder, pinFile) };
}

function providerConfig(kms: KmsFile, folder: string): KmsConfig {
  switch (kms.provider) {
    case "local":
      return { provider: "local", keyFile: resolve(folder, kms.keyFile) };
    case "aws":
      return awsConfig(kms, folder);
    case "gcp":
      return gcpConfig(kms, folder);
    case "vault":
      return vaultConfig(kms, folder);
    case "pkcs11":
      return pkcs11Config(kms, folder);
    case "recovery":
      return recoveryConfig(kms, folder);
  }
}

/** One member of `kms`, frozen. `folder` = where relative paths begin. */
export function kmsConfig(kms: KmsFile, folder: string): KmsConfig {
  return Object.freeze(providerConfig(kms, folder));
}
