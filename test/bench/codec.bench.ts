import { pathToFileURL } from "node:url";
import { defaultLimits } from "../../src/base/limits.ts";
import type { Interest, JsonGuide } from "../../src/codec/json-events.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";
import type { BenchRow } from "./bench-row.ts";
import { benchDocuments, patients } from "./codec-documents.ts";

const chunkBytes = 64 * 1024;
const limits = { ...defaultLimits, keysPerBody: 1e8, valuesPerBody: 1e8 };

const deadGuide: JsonGuide = { root: 0, member: () => 0, element: () => 0 };

/** Live down to every record, as for `$[*].zzzz`, of which no record has one. */
const missingGuide: JsonGuide = {
  root: 1,
  member: (state, bytes, start, end) => (end - start === 4 && bytes[start] === 0x7a ? 3 : state === 1 ? 1 : 0),
  element: () => 2,
};

/** `$[*].ssn` */
const ssnGuide: JsonGuide = {
  root: 1,
  member: (state, bytes, start, end) => (state === 2 && bytes.toString("latin1", start, end) === "ssn" ? 3 : 0),
  element: (state) => (state === 1 ? 2 : 0),
};

interface Run {
  readonly milliseconds: number;
  readonly longestPush: number;
}

/** Streams `body` once; values in state 3 are captured and replaced. */
function run(body: Buffer, guide: JsonGuide): Run {
  const replacement = Buffer.alloc(100, 0x61);
  const splicer = createJsonSplicer({
    guide,
    limits,
    sink: {
      begin: (state): Interest => (state === 3 ? "capture" : "enter"),
      peeked: () => undefined,
      captured: (_state, _kind, _bytes, slot) => splicer.settle(slot, replacement),
      leave: () => undefined,
    },
  });
  let longestPush = 0;
  const start = performance.now();
  let last = start;
  for (let at = 0; at < body.length; at += chunkBytes) {
    splicer.push(body.subarray(at, at + chunkBytes));
    splicer.take();
    const now = performance.now();
    longestPush = Math.max(longestPush, now - last);
    last = now;
  }
  splicer.end();
  return { milliseconds: performance.now() - start, longestPush };
}

/** The best of many runs: other work of the machine only ever adds time. */
function best(body: Buffer, guide: JsonGuide, milliseconds = 1000): Run {
  let found = run(body, guide);
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    const next = run(body, guide);
    if (next.milliseconds < found.milliseconds) found = next;
  }
  return found;
}

const megabytesPerSecond = (body: Buffer, { milliseconds }: Run): number => body.length / milliseconds / 1000;

/** Speed of the scanner and splicer in chunks of 64 KiB, one core. */
export function codecBench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { name, body } of benchDocuments()) {
    const dead = best(body, deadGuide);
    const missing = best(body, missingGuide);
    rows.push({ name: `scan ${name}, no rule`, value: megabytesPerSecond(body, dead), unit: "MB/s" });
    rows.push({
      name: `scan ${name}, a rule that matches nothing`,
      value: megabytesPerSecond(body, missing),
      unit: "MB/s",
    });
  }
  for (const mebibytes of [1, 4, 16, 64]) {
    const body = patients(mebibytes * 1024 * 1024);
    const { milliseconds } = best(body, missingGuide);
    rows.push({ name: `scan ${mebibytes} MiB, time per MB`, value: (milliseconds / body.length) * 1e6, unit: "ms" });
  }
  const small = patients(32 * 1024);
  for (const times of [1, 10, 100]) {
    const body = patients(times * small.length);
    const fields = body.toString("latin1").split('"ssn"').length - 1;
    const extra = best(body, ssnGuide).milliseconds - best(body, missingGuide).milliseconds;
    rows.push({
      name: `splice ${fields} fields, time per field over the scan`,
      value: (extra / fields) * 1e6,
      unit: "ns",
    });
  }
  const stalls = Array.from({ length: 20 }, () => run(patients(4 * 1024 * 1024), ssnGuide).longestPush);
  rows.push({ name: "longest stall per 64 KiB chunk, 80 MiB with fields", value: Math.max(...stalls), unit: "ms" });
  return Promise.resolve(rows);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { name, value, unit } of await codecBench()) {
    process.stdout.write(`${name}: ${value.toLocaleString("en", { maximumSignificantDigits: 4 })} ${unit}\n`);
  }
}
