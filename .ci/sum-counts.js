// Adds up what the test runners counted and prints CI's last line. Usage: node .ci/sum-counts.js FOLDER
// FOLDER holds one folder per step: counts-*.json of its runners, and `broken` when the step as a whole failed.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder = "."] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

for (const step of readdirSync(folder)) {
  const names = readdirSync(join(folder, step));
  const counts = names
    .filter((name) => name.startsWith("counts-"))
    .map((name) => JSON.parse(readFileSync(join(folder, step, name), "utf8")));
  const failed = counts.reduce((sum, each) => sum + each.failed, 0);
  // A step that fails without a test that failed (format, lint, types, a runner that crashed) is one failure, and so is a
  // step in which nothing ran.
  const uncounted = failed === 0 && (names.includes("broken") || counts.every(({ passed }) => passed === 0)) ? 1 : 0;
  total.passed += counts.reduce((sum, each) => sum + each.passed, 0);
  total.failed += failed + uncounted;
  total.skipped += counts.reduce((sum, each) => sum + each.skipped, 0);
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
