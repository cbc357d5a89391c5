import type { CommandCall } from "./command.ts";
import { usageProblem } from "./usage-problem.ts";

const ofOneValue = ["dataset", "field", "record", "unbound", "text"];
const ofDocument = ["listener", "merge-patch"];
const ofStream = ["record-from", "resume", "keep-going", "pass-clear"];

/** An option that has no say would be taken for one that has. Throws `usage`. */
export function refuseUnusedOptions(call: CommandCall): void {
  const stream = ofStream.find((name) => isGiven(call, name));
  if (stream !== undefined) throw usageProblem(`--${stream} goes with --ndjson or --documents`);
  if (call.argument(1) !== undefined) throw usageProblem("a second file goes with --ndjson or --documents");
  const whole = call.option("route") !== undefined;
  const unused = (whole ? ofOneValue : ofDocument).find((name) => isGiven(call, name));
  if (unused === undefined) return;
  throw usageProblem(`--${unused} goes ${whole ? "without" : "with"} --route`);
}

/** What is about one value or one body has no say in a stream of documents. Throws `usage`. */
export function refuseForStream(call: CommandCall): void {
  const unused = ["field", "record", "unbound", "text", "route", ...ofDocument].find((name) => isGiven(call, name));
  if (unused !== undefined) throw usageProblem(`--${unused} goes without --ndjson and --documents`);
}

function isGiven({ option, flag, list }: CommandCall, name: string): boolean {
  return option(name) !== undefined || flag(name) || list(name).length > 0;
}
