import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { Metrics } from "../base/metrics.ts";
import type { LiveKeys } from "../keys/keys.ts";

/** What an engine stands on. */
export interface EngineContext {
  readonly keys: LiveKeys;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly clock: Clock;
}
