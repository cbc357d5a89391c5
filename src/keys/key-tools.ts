import type { CachedKeysGauge } from "./cached-keys-gauge.ts";
import type { KeysPorts } from "./key-service.ts";
import type { KeyUsage } from "./usage/key-usage.ts";
import type { Unwrapper } from "./unwrapper.ts";

/** What the forms of one key service share. */
export interface KeyTools {
  readonly ports: KeysPorts;
  readonly unwrapper: Unwrapper;
  readonly usage: KeyUsage;
  /** Summed over all caches. */
  readonly gauge: CachedKeysGauge;
}
