import type { MetricName, Metrics } from "../base/metrics.ts";
import type { Dataset } from "../fieldmap/types.ts";

/** Counts per field of one body, reported once at its end: a metric call per value would cost more than the count. */
export class ValueCounts {
  readonly #dataset: Dataset;
  readonly #counts = new Map<MetricName, Uint32Array>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  add(metric: MetricName, field: number): void {
    let counts = this.#counts.get(metric);
    if (counts === undefined) {
      counts = new Uint32Array(this.#dataset.fields.length);
      this.#counts.set(metric, counts);
    }
    counts[field] = (counts[field] ?? 0) + 1;
  }

  report(metrics: Metrics): void {
    for (const [metric, counts] of this.#counts) {
      for (const [index, field] of this.#dataset.fields.entries()) {
        const count = counts[index] ?? 0;
        if (count > 0) metrics.count(metric, { dataset: this.#dataset.name, field: field.name }, count);
      }
    }
    this.#counts.clear();
  }
}
