import { expect } from "chai";
import { metricTable, type MetricName } from "../../src/base/metrics.ts";
import { createPrometheus } from "../../src/ops/prometheus.ts";
import { failureCode } from "../rig/failure-code.ts";

describe("metrics", () => {
  it("counts, sets and observes under the names and labels of the table", async () => {
    const { metrics, exposition, contentType } = createPrometheus();
    metrics.count("sealwright_values_sealed_total", { dataset: "patients", field: "ssn" });
    metrics.count("sealwright_values_sealed_total", { dataset: "patients", field: "ssn" }, 4);
    metrics.gauge("sealwright_data_keys_cached", 7);
    metrics.observe("sealwright_request_seconds", 0.002, { listener: "store" });
    const text = await exposition();
    expect(text).to.include('sealwright_values_sealed_total{dataset="patients",field="ssn"} 5\n');
    expect(text).to.include("sealwright_data_keys_cached 7\n");
    expect(text).to.include('sealwright_request_seconds_bucket{le="0.0025",listener="store"} 1\n');
    expect(contentType).to.match(/^text\/plain; version=0\.0\.4/);
  });

  it("shows every metric of the table with its help, and the process's own", async () => {
    const text = await createPrometheus().exposition();
    for (const [name, { help, kind }] of Object.entries(metricTable)) {
      expect(text).to.include(`# HELP ${name} ${help}\n`);
      expect(text).to.include(`# TYPE ${name} ${kind}\n`);
    }
    expect(text).to.include("process_resident_memory_bytes ");
  });

  it("throws for a label that the table does not have, one that is missing, and the wrong kind", async () => {
    const { metrics } = createPrometheus();
    const sealed: MetricName = "sealwright_values_sealed_total";
    const wrong = [
      () => metrics.count(sealed, { dataset: "patients", field: "ssn", tenant: "acme" }),
      () => metrics.count(sealed, { dataset: "patients" }),
      () => metrics.count(sealed, { dataset: "patients", tenant: "acme" }),
      () => metrics.gauge(sealed, 1, { dataset: "patients", field: "ssn" }),
    ];
    for (const attempt of wrong) expect(await failureCode(attempt)).to.equal("internal");
  });

  it("keeps two registries apart", async () => {
    const [a, b] = [createPrometheus(), createPrometheus()];
    a.metrics.gauge("sealwright_data_keys_cached", 3);
    expect(await b.exposition()).to.include("sealwright_data_keys_cached 0\n");
  });
});
