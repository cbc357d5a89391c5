import { writeFileSync } from "node:fs";
import type { Log } from "../../base/log.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { weakSettings } from "./environment-rules.ts";

/**
 * Makes this process keep what it knows to itself: files it writes are its owner's only, a core dump would hold no memory, a
 * diagnostic report no environment, and SIGUSR1 opens no inspector (the program's first line sees to that). In production
 * weak surroundings are refused: throws `environment_refused` naming all of them. In development they are told.
 */
export function hardenProcess(log: Log, production: boolean): void {
  refuseWeakSurroundings(log, production);
  process.umask(0o077);
  process.report.reportOnFatalError = false;
  process.report.reportOnUncaughtException = false;
  process.report.reportOnSignal = false;
  process.report.excludeEnv = true;
  if (!emptyCoreDumps()) log.warn("core_dumps_possible", { reason: "set the core file limit to 0" });
}

function refuseWeakSurroundings(log: Log, production: boolean): void {
  const weak = weakSettings(process.env, process.execArgv);
  if (weak.length === 0) return;
  const reason = weak.map(({ setting, danger }) => `${setting} ${danger}`).join("; ");
  if (production) throw new SealwrightError("environment_refused", { reason });
  log.warn("environment_weak", { reason });
}

/**
 * Node.js cannot set its own core file limit, but Linux lets a process choose which of its mappings a dump holds: none
 * (core(5), coredump_filter). True also where the platform has no such file and no dump of its own.
 */
function emptyCoreDumps(): boolean {
  if (process.platform !== "linux") return process.platform === "win32";
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
    return true;
  } catch {
    return false;
  }
}
