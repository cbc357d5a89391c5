import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";

function writeCounts({ stats }: Mocha.Runner, folder: string): void {
  const counts = { passed: stats?.passes ?? 0, failed: stats?.failures ?? 0, skipped: stats?.pending ?? 0 };
  writeFileSync(join(folder, `counts-${process.pid}.json`), JSON.stringify(counts));
}

/** Leaves the runner's counts as a file in the folder that the variable SEALWRIGHT_COUNTS names, for CI to add up. */
function leaveCounts(runner: Mocha.Runner): void {
  const folder = process.env["SEALWRIGHT_COUNTS"];
  if (folder !== undefined) runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => writeCounts(runner, folder));
}

function isSpec({ reporterOptions }: Mocha.MochaOptions): boolean {
  const given: unknown = reporterOptions;
  return typeof given === "object" && given !== null && "style" in given && given.style === "spec";
}

/** Mocha's own reporter, `dot` or, where the option `style` says so, `spec`; and the counts. Mocha calls it with `new`. */
export default function countingReporter(runner: Mocha.Runner, options: Mocha.MochaOptions): Mocha.reporters.Base {
  leaveCounts(runner);
  return isSpec(options) ? new Mocha.reporters.Spec(runner, options) : new Mocha.reporters.Dot(runner, options);
}
