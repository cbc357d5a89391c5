// Adds up what the test runners counted and prints CI's last line. Usage: node .ci/sum-counts.js FOLDER UNCOUNTED-FAILURES
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder = ".", uncounted = "0"] = process.argv.slice(2);
const total = { passed: 0, failed: Number(uncounted), skipped: 0 };
for (const name of readdirSync(folder)) {
  const counts = JSON.parse(readFileSync(join(folder, name), "utf8"));
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
}
// Nothing passed means that nothing ran.
if (total.passed === 0) total.failed += 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
