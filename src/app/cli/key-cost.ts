import type { KeysConfig } from "../../keys/keys-config.ts";
import { meanCheckShare } from "../../keys/trusted-key.ts";
import { closingShare } from "../../keys/sealing-term.ts";

/** What the calls to the key service depend on beside the sidecar file. */
export interface CostQuestion {
  /** Sidecars that run at once. */
  readonly sidecars: number;
  /** Data keys that each sidecar has in use: sealing, or opening what was sealed before. */
  readonly keysInUse: number;
  /** Inline only: tenants times datasets that each sidecar seals for. */
  readonly sealingScopes: number;
}

/** Calls to the key service of the whole fleet. */
export interface CostEstimate {
  /** Once, when all sidecars start with empty caches. */
  readonly coldStartCalls: number;
  /** From then on, whatever the load is. */
  readonly callsPerHour: number;
  readonly callsPerMonth: number;
}

const hourMs = 3_600_000;
/** An average month, as cloud providers count. */
const hoursPerMonth = 730;

/**
 * An estimate from the settings alone: keys in use are checked once per cache period, a little ahead of its end; inline, each
 * scope gets a new key per sealing period, generated and proven. The load does not enter: it costs no call.
 */
export function estimateKeyCost(keys: KeysConfig, question: CostQuestion): CostEstimate {
  const { sidecars, keysInUse, sealingScopes } = question;
  const checks = keysInUse * (hourMs / (keys.cache.age * meanCheckShare));
  const inline = keys.form === "inline";
  // Generated, then proven by one unwrap.
  const renewals = inline ? 2 * sealingScopes * (hourMs / (keys.sealing.age * closingShare)) : 0;
  const callsPerHour = sidecars * (checks + renewals);
  return {
    // The keyring's root is one more.
    coldStartCalls: sidecars * (keysInUse + (inline ? 2 * sealingScopes : 1)),
    callsPerHour,
    callsPerMonth: callsPerHour * hoursPerMonth,
  };
}
