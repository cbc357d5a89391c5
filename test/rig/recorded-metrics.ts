import type { Metrics, MetricLabels, MetricName } from "../../src/base/metrics.ts";

export interface Measurement {
  readonly name: MetricName;
  readonly value: number;
  readonly labels: MetricLabels;
}

/** Keeps every measurement. */
export class RecordedMetrics implements Metrics {
  readonly all: Measurement[] = [];

  count(name: MetricName, labels: MetricLabels = {}, by = 1): void {
    this.all.push({ name, value: by, labels });
  }

  gauge(name: MetricName, value: number, labels: MetricLabels = {}): void {
    this.all.push({ name, value, labels });
  }

  clearGauge(name: MetricName): void {
    for (let index = this.all.length - 1; index >= 0; index -= 1)
      if (this.all[index]?.name === name) this.all.splice(index, 1);
  }

  observe(name: MetricName, value: number, labels: MetricLabels = {}): void {
    this.all.push({ name, value, labels });
  }

  of(name: MetricName): readonly Measurement[] {
    return this.all.filter((each) => each.name === name);
  }
}
