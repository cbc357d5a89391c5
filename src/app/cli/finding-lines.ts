import type { Finding } from "../../base/finding.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** All of one width. */
function statusWord(status: Finding["status"], paint: Paint): string {
  if (status === "ok") return paint.good("ok     ");
  return status === "not ok" ? paint.bad("not ok ") : paint.warn("unknown");
}

/** What was found, and under it what to do about it. */
export function findingLines({ check, status, detail, fix }: Finding, { paint }: Terminal): readonly string[] {
  const line = `${statusWord(status, paint)} ${check}: ${detail}`;
  return fix === undefined ? [line] : [line, `        ${paint.faint(fix)}`];
}
