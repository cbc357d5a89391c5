import { SealwrightError } from "../base/sealwright-error.ts";
import type { Kms } from "./kms.ts";
import type { KmsConfig } from "./kms-config.ts";
import type { KmsPorts, ProviderPorts } from "./kms-ports.ts";
import { isDevelopmentKms, providerTable } from "./provider.ts";
import { resilientKms } from "./decorators/resilient.ts";

/** What a KEK may be called: the name stands in every inline value. */
export const kekNamePattern = /^[a-z0-9-]{1,63}$/;

/**
 * The KEK `name` as `config` describes it, behind all decorators. Nothing is asked of a remote service yet.
 * Throws `key_file` (local, recovery), `config_invalid` and `file_unreadable` (aws, recovery).
 */
export async function openKms(name: string, config: KmsConfig, ports: KmsPorts): Promise<Kms> {
  if (!kekNamePattern.test(name)) throw new SealwrightError("config_invalid", { reason: "KEK name" });
  const provider = await openProvider(config, { ...ports, kek: name });
  if (isDevelopmentKms(config)) ports.log.warn("kms_development", { kek: name, provider: config.provider });
  if (config.provider === "recovery" && provider.canUnwrap)
    ports.log.warn("kms_recovery_secret_in_use", { kek: name, provider: config.provider });
  return resilientKms(provider, name, { patience: config.patience, ports });
}

function openProvider(config: KmsConfig, ports: ProviderPorts): Promise<Kms> {
  switch (config.provider) {
    case "local":
      return providerTable.local.open(config, ports);
    case "aws":
      return providerTable.aws.open(config, ports);
    case "vault":
      return providerTable.vault.open(config, ports);
    case "gcp":
      return providerTable.gcp.open(config, ports);
    case "pkcs11":
      return providerTable.pkcs11.open(config, ports);
    case "recovery":
      return providerTable.recovery.open(config, ports);
  }
}
