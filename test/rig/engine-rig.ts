import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import type { MetricLabels, MetricName, Metrics } from "../../src/base/metrics.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createEngine } from "../../src/engine/create-engine.ts";
import type { BodyRewriter, Engine, Exchange } from "../../src/engine/engine.ts";
import { loadFieldMap } from "../../src/fieldmap/load-field-map.ts";
import { createRouteTable } from "../../src/fieldmap/route-table.ts";
import type { RouteTable } from "../../src/fieldmap/types.ts";
import { MemoryKeys } from "./memory-keys.ts";

export interface CountedMetric {
  readonly name: MetricName;
  readonly labels: MetricLabels;
  readonly by: number;
}

/** An engine over one field map and keys in memory: whole requests and answers as text. */
export class EngineRig {
  readonly keys = new MemoryKeys();
  readonly counted: CountedMetric[] = [];
  readonly engine: Engine;
  readonly #routes: RouteTable;

  constructor(mapYaml: string, limits: Partial<Limits> = {}, keys = new MemoryKeys()) {
    this.keys = keys;
    const loaded = loadFieldMap({ path: "test.yaml", text: mapYaml });
    if (loaded.map === undefined || loaded.problems.length > 0) {
      throw new Error(
        loaded.problems
          .map((problem) => `${problem.line}:${problem.column} ${problem.rule}: ${problem.message}`)
          .join("\n"),
      );
    }
    const table = createRouteTable([loaded.map]);
    if (table.problems.length > 0) throw new Error(table.problems.map((problem) => problem.message).join("\n"));
    this.#routes = table.table;
    const metrics: Metrics = {
      count: (name, labels = {}, by = 1) => void this.counted.push({ name, labels, by }),
      gauge: () => undefined,
      clearGauge: () => undefined,
      observe: () => undefined,
    };
    this.engine = createEngine({
      keys: this.keys,
      limits: { ...defaultLimits, ...limits },
      metrics,
      clock: systemClock,
    });
  }

  exchange(method: string, target: string, more: Partial<Exchange> = {}): Exchange {
    const verdict = this.#routes.match(method, target);
    if (verdict.kind === "refuse") throw new Error(`no route: ${verdict.code}`);
    return { route: verdict.route, captures: verdict.captures, tenant: "t1", mergePatch: false, ...more };
  }

  seal(method: string, target: string, body: string | Buffer, more: Partial<Exchange> = {}): Promise<string> {
    return this.rewrite(this.engine.sealRequest(this.exchange(method, target, more)), body);
  }

  open(method: string, target: string, body: string | Buffer, more: Partial<Exchange> = {}): Promise<string> {
    return this.rewrite(this.engine.openResponse(this.exchange(method, target, more)), body);
  }

  /** Total of one counter. */
  total(name: MetricName): number {
    return this.counted.filter((one) => one.name === name).reduce((sum, one) => sum + one.by, 0);
  }

  /** Runs `body` through `rewriter` in chunks of `chunkBytes`; gives what left, and closes it whatever happens. */
  async rewrite(rewriter: BodyRewriter, body: string | Buffer, chunkBytes = 65_536): Promise<string> {
    const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
    const out: Buffer[] = [];
    try {
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        await rewriter.write(bytes.subarray(at, at + chunkBytes));
        out.push(...rewriter.take());
      }
      await rewriter.end();
      out.push(...rewriter.take());
    } finally {
      rewriter.close();
    }
    return Buffer.concat(out).toString("utf8");
  }
}
