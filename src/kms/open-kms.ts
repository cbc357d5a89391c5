import { SealwrightError } from "../base/sealwright-error.ts";
import type { Kms } from "./kms.ts";
import type { KmsConfig } from "./kms-config.ts";
import type { KmsPorts } from "./kms-ports.ts";
import { isDevelopmentKms, providerTable } from "./provider.ts";
import { resilientKms } from "./resilient.ts";

/** What a KEK may be called: the name stands in every inline value. */
export const kekNamePattern = /^[a-z0-9-]{1,63}$/;

/**
 * The KEK `name` as `config` describes it, behind all decorators. Nothing is asked of a remote service yet.
 * Throws `key_file` (local), `config_invalid` and `file_unreadable` (aws).
 */
export async function openKms(name: string, config: KmsConfig, ports: KmsPorts): Promise<Kms> {
  if (!kekNamePattern.test(name)) throw new SealwrightError("config_invalid", { reason: "KEK name" });
  const provider = await openProvider(config);
  if (isDevelopmentKms(config)) ports.log.warn("kms_development", { kek: name, provider: config.provider });
  return resilientKms(provider, name, { patience: config.patience, ports });
}

function openProvider(config: KmsConfig): Promise<Kms> {
  switch (config.provider) {
    case "local":
      return providerTable.local.open(config);
    case "aws":
      return providerTable.aws.open(config);
    case "gcp":
      return providerTable.gcp.open(config);
  }
}
