import { causesOf } from "../base/error-causes.ts";
import type { Log } from "../base/log.ts";

export interface ProcessGuardOptions {
  readonly log: Log;
  /** Runs last: empties the log and ends the process. */
  readonly exit: (code: number) => void;
}

/**
 * What nobody caught ends the process: its state is unknown, and a sidecar that goes on with it might forward in clear. The
 * line names classes and places, never a message, which could hold data. The answer takes the guard away again.
 */
export function guardProcess({ log, exit }: ProcessGuardOptions): () => void {
  const fail = (error: unknown): void => {
    log.error("process_failed", { code: "internal", causes: causesOf(error) });
    exit(1);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  return () => {
    process.off("uncaughtException", fail);
    process.off("unhandledRejection", fail);
  };
}
