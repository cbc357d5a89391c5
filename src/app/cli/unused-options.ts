import type { CommandCall } from "./command.ts";
import { usageProblem } from "./usage-problem.ts";

const ofOneValue = ["dataset", "field", "record", "unbound", "text"];
const ofDocument = ["listener", "merge-patch"];

/** An option that has no say would be taken for one that has. Throws `usage`. */
export function refuseUnusedOptions(call: CommandCall): void {
  const whole = call.option("route") !== undefined;
  const unused = (whole ? ofOneValue : ofDocument).find((name) => call.option(name) !== undefined || call.flag(name));
  if (unused === undefined) return;
  throw usageProblem(`--${unused} goes ${whole ? "without" : "with"} --route`);
}
