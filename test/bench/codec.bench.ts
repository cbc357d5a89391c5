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
  member: (state, bytes, start, end) => (state === 2 && end - start === 3 && bytes[start + 1] === 0x73 ? 3 : 0),
  element: (state) => (state === 1 ? 2 : 0),
};

/** Streams `body` once, values in state 3 captured and replaced; answers the longest chunk's milliseconds. */
function run(body: Buffer, guide: JsonGuide): number {
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
  let longest = 0;
  let last = performance.now();
  for (let at = 0; at < body.length; at += chunkBytes) {
    splicer.push(body.subarray(at, at + chunkBytes));
    splicer.take();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  splicer.end();
  return longest;
}

const cpuMilliseconds = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** CPU milliseconds of one run, over many: other work of the machine does not count. */
function cost(body: Buffer, guide: JsonGuide): number {
  const runs = Math.max(3, Math.ceil(2e8 / body.length));
  for (let i = 0; i < runs / 4; i += 1) run(body, guide);
  const start = cpuMilliseconds();
  for (let i = 0; i < runs; i += 1) run(body, guide);
  return (cpuMilliseconds() - start) / runs;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

/** Speed of the scanner and splicer in chunks of 64 KiB, in CPU time of one thread. */
export function codecBench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { name, body } of benchDocuments()) {
    for (const [rule, guide] of Object.entries({ "no rule": deadGuide, "a rule that matches nothing": missingGuide })) {
      const value = body.length / cost(body, guide) / 1000;
      rows.push({ name: `scan ${name}, ${rule}`, value, unit: "MB/s" });
    }
  }
  for (const mebibytes of [1, 4, 16, 64]) {
    const body = patients(mebibytes * 1024 * 1024);
    const value = (cost(body, missingGuide) / body.length) * 1e6;
    rows.push({ name: `scan ${mebibytes} MiB, time per MB`, value, unit: "ms" });
  }
  for (const kibibytes of [32, 320, 3200]) {
    const body = patients(kibibytes * 1024);
    const fields = body.toString("latin1").split('"ssn"').length - 1;
    const value = ((cost(body, ssnGuide) - cost(body, missingGuide)) / fields) * 1e6;
    rows.push({ name: `splice ${fields} fields, time per field over the scan`, value, unit: "ns" });
  }
  const body = patients(4 * 1024 * 1024);
  const value = median(Array.from({ length: 21 }, () => run(body, ssnGuide)));
  rows.push({ name: "longest of 65 chunks of 64 KiB with fields, median of 21 runs", value, unit: "ms" });
  return Promise.resolve(rows);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { name, value, unit } of await codecBench()) {
    process.stdout.write(`${name}: ${value.toLocaleString("en", { maximumSignificantDigits: 4 })} ${unit}\n`);
  }
}
