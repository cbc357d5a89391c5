import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Adds up what the test runners counted and prints CI's last line. Usage: node test/house/sum-counts.ts FOLDER
// FOLDER holds one folder per step: counts-*.json of its runners, and `broken` when the step as a whole failed.

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

const nothing: Counts = { passed: 0, failed: 0, skipped: 0 };

function countsOfStep(folder: string): Counts {
  const names = readdirSync(folder);
  const counted = names
    .filter((name) => name.startsWith("counts-"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Counts)
    .reduce(add, nothing);
  // A step that fails without a test that failed (format, lint, types, a runner that crashed) is one failure, and so is a
  // step in which nothing ran.
  const uncounted = counted.failed === 0 && (names.includes("broken") || counted.passed === 0);
  return uncounted ? { ...counted, failed: 1 } : counted;
}

const [folder = "."] = process.argv.slice(2);
const total = readdirSync(folder)
  .map((step) => countsOfStep(join(folder, step)))
  .reduce(add, nothing);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
