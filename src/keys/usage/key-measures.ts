import type { Metrics, MetricName } from "../../base/metrics.ts";
import type { Outlook } from "./key-outlook.ts";
import type { KeyState } from "../keyring/keyring-file.ts";
import type { Counted, KeyUsage, UsageCount } from "./key-usage.ts";

/** Keys of a keyring that get a label of their own; the others, and those of the inline form, share one. */
const labels = 1000;
const otherLabel = "other";

/** A key of the keyring. A retired one is measured no more. */
export interface MeasuredKey {
  readonly id: string;
  readonly entry: { readonly state: KeyState };
}

const counters: readonly { readonly metric: MetricName; readonly member: Counted }[] = [
  { metric: "sealwright_key_values_sealed_total", member: "sealed" },
  { metric: "sealwright_key_values_opened_total", member: "opened" },
  { metric: "sealwright_data_key_unwraps_total", member: "unwraps" },
];

/** Measurements that are made when somebody looks: they would cost every request something, or change with time alone. */
export class KeyMeasures {
  readonly #metrics: Metrics;
  /** Labels by key id. Only ids of a verified keyring ever get one. */
  readonly #labels = new Map<string, string>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Keys whose ids may stand in labels from now on, as far as there is room: those that seal or will before those that only open. */
  admit(keys: Iterable<MeasuredKey>): void {
    if (this.#labels.size >= labels) return;
    const all = [...keys];
    for (const state of ["active", "pending", "decrypt-only"] as const)
      for (const { id, entry } of all)
        if (entry.state === state && this.#labels.size < labels) this.#labels.set(id, id.slice(0, 16));
  }

  counts(usage: KeyUsage): void {
    for (const [id, count] of usage.entries()) this.#tell(count, this.#labels.get(id) ?? otherLabel);
    this.#tell(usage.other, otherLabel);
  }

  outlook({ keys, firstDark, cold }: Outlook): void {
    const metric = "sealwright_key_seconds_to_dark";
    this.#metrics.clearGauge(metric);
    for (const { key: id, seals, opens } of keys) {
      const key = this.#labels.get(id);
      if (key === undefined) continue;
      if (seals !== undefined) this.#metrics.gauge(metric, seals, { key, operation: "seal" });
      this.#metrics.gauge(metric, opens, { key, operation: "open" });
    }
    this.#metrics.clearGauge("sealwright_seconds_to_dark");
    for (const operation of ["seal", "open"] as const) {
      // Where nothing is in memory, what there is fails at once; where there is nothing, nothing fails.
      const seconds = firstDark[operation] ?? (cold[operation] > 0 ? 0 : undefined);
      if (seconds !== undefined) this.#metrics.gauge("sealwright_seconds_to_dark", seconds, { operation });
      this.#metrics.gauge("sealwright_keys_cold", cold[operation], { operation });
    }
  }

  #tell(count: UsageCount, key: string): void {
    for (const { metric, member } of counters) {
      const more = count[member] - count.told[member];
      if (more > 0) this.#metrics.count(metric, { key }, more);
      count.told[member] = count[member];
    }
  }
}
