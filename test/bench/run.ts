import { cpus } from "node:os";

import type { BenchRow } from "./bench-row.ts";
import { codecBench } from "./codec.bench.ts";
import { cryptoBench } from "./crypto.bench.ts";
import { requestBench } from "./request.bench.ts";
import { rewrapBench } from "./rewrap.bench.ts";
import { streamBench } from "./stream.bench.ts";

const benches = {
  codec: codecBench,
  crypto: cryptoBench,
  request: requestBench,
  stream: streamBench,
  rewrap: rewrapBench,
};
/** Need servers that are not from npm: run only when named. */
const byName: readonly string[] = ["rewrap"];

/** `npm run bench`, or `npm run bench -- codec request` for some; some run only when named. Prints the table that BENCHMARKS.md holds. */
const wanted = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

print(
  `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, ${new Date().toISOString().slice(0, 10)}`,
);
print("");
print("| what | value | unit |");
print("|---|---|---|");
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length === 0 ? byName.includes(name) : !wanted.includes(name)) continue;
  const rows: readonly BenchRow[] = await bench();
  for (const row of rows)
    print(`| ${row.name} | ${row.value.toLocaleString("en", { maximumSignificantDigits: 4 })} | ${row.unit} |`);
}
