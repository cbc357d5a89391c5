import { resolve } from "node:path";
import { expect } from "chai";
import { metricTable } from "../../src/base/metrics.ts";
import { readSourceTree } from "./source-tree.ts";

const product = readSourceTree(resolve(import.meta.dirname, "../../src"))
  .filter(({ path }) => path !== "base/metrics.ts")
  .map(({ text }) => text)
  .join("\n");

describe("metric table", () => {
  it("has no metric that nothing measures", () => {
    expect(Object.keys(metricTable).filter((name) => !product.includes(`"${name}"`))).to.deep.equal([]);
  });

  it("names its metrics as Prometheus asks", () => {
    for (const [name, { kind }] of Object.entries(metricTable)) {
      expect(name).to.match(/^sealwright_[a-z_]+$/);
      expect(name.endsWith("_total"), name).to.equal(kind === "counter");
      expect(name.endsWith("_seconds"), name).to.equal(kind === "histogram");
    }
  });

  it("takes no label that a request could fill", () => {
    const closed = [
      "listener",
      "route",
      "outcome",
      "dataset",
      "field",
      "kek",
      "operation",
      "limit",
      "role",
      "key",
      "code",
    ];
    const labels = Object.values(metricTable).flatMap((row): readonly string[] => row.labels);
    expect(labels.filter((label) => !closed.includes(label))).to.deep.equal([]);
  });
});
