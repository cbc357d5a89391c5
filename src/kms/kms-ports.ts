import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";

/** What a KMS needs of the world. */
export interface KmsPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Spreads retries over time: a number in [0, 1). No secret depends on it. */
  readonly random: () => number;
}

/** What a provider has of the world. */
export interface ProviderPorts extends KmsPorts {
  /** Name of the KEK. */
  readonly kek: string;
}
