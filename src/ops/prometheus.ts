import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { metricTable, type MetricLabels, type MetricName, type MetricRow, type Metrics } from "../base/metrics.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

/** Seconds. From half a millisecond, where a warm request lies, to the longest deadline that is usual. */
const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

type Meter = Counter | Gauge | Histogram;

export interface Prometheus {
  readonly metrics: Metrics;
  /** Media type of `exposition`. */
  readonly contentType: string;
  /** Runs `task` ahead of every scrape, for what is only worth measuring then. */
  readonly beforeScrape: (task: () => void) => void;
  /** The text that Prometheus scrapes: our metrics, then those of the process and of Node.js. */
  readonly exposition: () => Promise<string>;
}

function meterOf(name: string, row: MetricRow, registry: Registry): Meter {
  const settings = { name, help: row.help, labelNames: row.labels, registers: [registry] };
  if (row.kind === "counter") return new Counter(settings);
  if (row.kind === "gauge") return new Gauge(settings);
  return new Histogram({ ...settings, buckets: secondsBuckets });
}

/** Throws `internal` unless `labels` are exactly the row's: a label that slips in could carry data. */
function checkLabels(name: MetricName, labels: MetricLabels): void {
  const expected: readonly string[] = metricTable[name].labels;
  const given = Object.keys(labels);
  if (given.length !== expected.length || !given.every((label) => expected.includes(label)))
    throw new SealwrightError("internal", { reason: `labels of metric ${name}` });
}

/** Metrics by prom-client, in a registry of their own. */
export function createPrometheus(): Prometheus {
  const registry = new Registry();
  const tasks: (() => void)[] = [];
  const meters = new Map<MetricName, Meter>();
  for (const [name, row] of Object.entries(metricTable) as [MetricName, MetricRow][])
    meters.set(name, meterOf(name, row, registry));
  collectDefaultMetrics({ register: registry });

  function meter<M extends Meter>(name: MetricName, kind: new (...settings: never[]) => M, labels: MetricLabels): M {
    checkLabels(name, labels);
    const found = meters.get(name);
    if (!(found instanceof kind)) throw new SealwrightError("internal", { reason: `kind of metric ${name}` });
    return found;
  }

  return Object.freeze({
    metrics: Object.freeze({
      count: (name: MetricName, labels: MetricLabels = {}, by = 1) => meter(name, Counter, labels).inc(labels, by),
      gauge: (name: MetricName, value: number, labels: MetricLabels = {}) =>
        meter(name, Gauge, labels).set(labels, value),
      clearGauge: (name: MetricName) => {
        const found = meters.get(name);
        if (!(found instanceof Gauge)) throw new SealwrightError("internal", { reason: `kind of metric ${name}` });
        found.reset();
      },
      observe: (name: MetricName, value: number, labels: MetricLabels = {}) =>
        meter(name, Histogram, labels).observe(labels, value),
    }),
    contentType: registry.contentType,
    beforeScrape: (task: () => void) => void tasks.push(task),
    exposition: () => {
      for (const task of tasks) task();
      return registry.metrics();
    },
  });
}
