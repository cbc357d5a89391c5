import type { Metrics } from "../base/metrics.ts";

/** Unwrapped keys in memory, summed over the caches of one service. */
export class CachedKeysGauge {
  readonly #metrics: Metrics;
  #total = 0;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  add(change: number): void {
    if (change === 0) return;
    this.#total += change;
    this.#metrics.gauge("sealwright_data_keys_cached", this.#total);
  }
}
