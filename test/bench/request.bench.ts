import { Pool } from "undici";

import type { BenchRow } from "./bench-row.ts";
import { BenchStage } from "./bench-stage.ts";
import { cpuMicroseconds, median } from "./process-cost.ts";

const rounds = 9;
const requestsPerRound = 2_000;
const concurrency = 8;

/** A record of 920 bytes: four values that the map names among others that it does not. */
function patient(): string {
  const base = {
    _id: "patient-000001",
    ssn: "078-05-1120",
    phone: "+49 30 1234567",
    address: "Invalidenstrasse 117, 10115 Berlin",
    notes: "allergic to penicillin; next visit in spring",
    given: "Ada",
    family: "Example",
    born: "1970-01-01",
    ward: { name: "C3", bed: 12, since: "2026-11-01T08:00:00Z" },
    codes: [12.5, 99, 1e3, 7],
    filler: "",
  };
  return JSON.stringify({ ...base, filler: "f".repeat(920 - JSON.stringify(base).length) });
}

interface Contestant {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
}

async function load(pool: Pool, path: string, body: string): Promise<void> {
  let left = requestsPerRound;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await pool.request({
        method: "POST",
        path,
        headers: { "content-type": "application/json" },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || text !== body) throw new Error(`${path}: ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/**
 * CPU microseconds per request of the proxy process, kernel time included: the sidecar passing through, sealing 4 and opening
 * 4 values, and nginx passing through; in turns within one run, median of the rounds.
 */
export async function requestBench(): Promise<BenchRow[]> {
  const stage = await BenchStage.start();
  const body = patient();
  const contestants: Contestant[] = [
    ...(stage.nginx === undefined ? [] : [{ name: "nginx passthrough", ...stage.nginx, path: "/v1/plain" }]),
    { name: "sealwright passthrough", pid: stage.sidecar.pid, port: stage.sidecar.port, path: "/v1/plain" },
    { name: "sealwright 4 sealed + 4 opened", pid: stage.sidecar.pid, port: stage.sidecar.port, path: "/v1/patients" },
  ];
  const costs = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  const pools = new Map(
    contestants.map(({ port }) => [port, new Pool(`http://127.0.0.1:${port}`, { connections: concurrency })]),
  );
  try {
    for (let round = 0; round <= rounds; round += 1) {
      for (const { name, pid, port, path } of contestants) {
        const pool = pools.get(port);
        if (pool === undefined) continue;
        const before = cpuMicroseconds(pid);
        await load(pool, path, body);
        // The first round warms up and does not count.
        if (round > 0) costs.get(name)?.push((cpuMicroseconds(pid) - before) / requestsPerRound);
      }
    }
  } finally {
    await Promise.all([...pools.values()].map((pool) => pool.close()));
    await stage.stop();
  }
  return [...costs].map(([name, values]) => ({ name: `request, ${name}`, value: median(values), unit: "us CPU" }));
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await requestBench(), null, 2)}\n`);
