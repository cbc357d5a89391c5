import type { LegacyApp } from "./legacy-app.ts";
import type { Patient } from "./sample-patients.ts";

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface PathLatency {
  readonly operation: "read" | "write";
  readonly requests: number;
  readonly direct: Percentiles;
  readonly sealed: Percentiles;
}

/** Two ways to one store: past Sealwright by mutual TLS, and through it. Both hold documents of the same size. */
export interface LatencyPaths {
  readonly direct: { readonly app: LegacyApp; readonly patient: Patient };
  readonly sealed: { readonly app: LegacyApp; readonly patient: Patient };
}

const id = "latency-1";
const warmUp = 40;

/**
 * Times `requests` reads and as many writes on each path, one at a time, the paths taking turns (and turns to begin), so
 * that whatever else the machine does falls on both.
 */
export async function measureLatency(paths: LatencyPaths, requests: number): Promise<PathLatency[]> {
  const results: PathLatency[] = [];
  for (const { app, patient } of [paths.direct, paths.sealed]) await app.put(id, patient);
  for (const operation of ["read", "write"] as const) {
    const direct: number[] = [];
    const sealed: number[] = [];
    for (let round = -warmUp; round < requests; round += 1) {
      const turns = [
        { path: paths.direct, times: direct },
        { path: paths.sealed, times: sealed },
      ];
      if (round % 2 !== 0) turns.reverse();
      for (const { path, times } of turns) {
        const ms = await timed(path, operation, round + warmUp);
        if (round >= 0) times.push(ms);
      }
    }
    results.push({ operation, requests, direct: percentiles(direct), sealed: percentiles(sealed) });
  }
  return results;
}

async function timed(
  path: LatencyPaths["direct"],
  operation: PathLatency["operation"],
  round: number,
): Promise<number> {
  const { app, patient } = path;
  const start = performance.now();
  // A new document each time: CouchDB keeps every revision, so changing one again and again slows it down as it goes.
  await (operation === "read" ? app.read(id) : app.put(`${id}-${round}`, patient));
  return performance.now() - start;
}

/** Nearest-rank percentiles. */
export function percentiles(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
