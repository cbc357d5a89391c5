import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { SealwrightError } from "../base/sealwright-error.ts";
import type { Metrics } from "../base/metrics.ts";
import type { LiveKeys } from "../keys/keys.ts";

/**
 * Port: hears of a value that cannot be opened before it refuses the body. True = it stays as it came. `error`: `open_failed`, with
 * field and position.
 */
export type KeepFailed = (error: SealwrightError) => boolean;

/** What an engine stands on. */
export interface EngineContext {
  readonly keys: LiveKeys;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Absent = what cannot be opened is treated as the field map says. */
  readonly keepFailed?: KeepFailed | undefined;
}
