import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";

/**
 * Mocha's own reporter (`dot`, or `spec` where the option `style` says so), which also leaves the runner's counts as a JSON
 * file in the folder that the variable SEALWRIGHT_COUNTS names, for CI to add up. Mocha calls it with `new`.
 * @param {Mocha.Runner} runner
 * @param {Mocha.MochaOptions} options
 */
export default function countingReporter(runner, options) {
  const { style } = /** @type {{ style?: string }} */ (options.reporterOptions ?? {});
  if (style === "spec") new Mocha.reporters.Spec(runner, options);
  else new Mocha.reporters.Dot(runner, options);
  const folder = process.env["SEALWRIGHT_COUNTS"];
  if (folder !== undefined) runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => writeCounts(runner, folder));
}

/**
 * @param {Mocha.Runner} runner
 * @param {string} folder
 */
function writeCounts(runner, folder) {
  const { passes, failures, pending } = /** @type {Mocha.Stats} */ (runner.stats);
  const counts = { passed: passes, failed: failures, skipped: pending };
  writeFileSync(join(folder, `counts-${process.pid}.json`), JSON.stringify(counts));
}
