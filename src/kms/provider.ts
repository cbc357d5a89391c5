import type { Kms } from "./kms.ts";
import type { KmsConfig } from "./kms-config.ts";
import type { ProviderPorts } from "./kms-ports.ts";

/** One kind of key service. */
export interface ProviderRow<C extends KmsConfig> {
  /** For development only: said at start, in health and on the page. */
  readonly development: boolean;
  /** Loads what the provider needs and opens it. Throws `key_file`, `config_invalid`, `file_unreadable`. */
  readonly open: (config: C, ports: ProviderPorts) => Promise<Kms>;
}

type ProviderTable = { readonly [P in KmsConfig["provider"]]: ProviderRow<Extract<KmsConfig, { provider: P }>> };

/** Every provider, each loaded only when the configuration names it. */
export const providerTable: ProviderTable = Object.freeze({
  local: {
    development: true,
    open: async (config) => (await import("./local/local.ts")).openLocalKms(config),
  },
  aws: {
    development: false,
    open: async (config) => (await import("./aws/aws.ts")).openAwsKms(config),
  },
  vault: {
    development: false,
    open: async (config, ports) => (await import("./vault/vault.ts")).openVaultKms(config, ports),
  },
  pkcs11: {
    development: false,
    open: async (config, ports) => (await import("./pkcs11/pkcs11.ts")).openPkcs11Kms(config, ports),
  },
  recovery: {
    development: false,
    open: async (config) => (await import("./recovery/recovery.ts")).openRecoveryKms(config),
  },
  gcp: {
    development: false,
    open: async (config, ports) => (await import("./gcp/gcp.ts")).openGcpKms(config, ports),
  },
});

/** True when keys are kept in a way that is fit for development only. */
export function isDevelopmentKms(config: KmsConfig): boolean {
  return providerTable[config.provider].development;
}
