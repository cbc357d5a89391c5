import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { asSealwrightError } from "../../base/sealwright-error.ts";
import { Children } from "./children.ts";
import type { DemoPorts } from "./demo-config.ts";
import type { DemoReport } from "./demo-report.ts";
import { freePorts } from "./free-ports.ts";
import { logTails } from "./log-tails.ts";
import { playDemo } from "./play-demo.ts";
import { reportText } from "./report-text.ts";
import { inkFor } from "./text-table.ts";

export interface DemoOptions {
  /** Leave everything running until a signal comes, and say how to try it. */
  readonly keep: boolean;
  /** Print the report as JSON. */
  readonly json: boolean;
  /** Default: free ones. */
  readonly ports?: DemoPorts;
}

const exitInterrupted = 130;

/**
 * Runs the whole product between a real app and a real store, in a scratch folder that is gone afterwards, and prints what
 * happened to stdout (progress to stderr). Gives the exit code: 0 when every check held, 1 when one did not, 130 when a
 * signal came first. Never rejects.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "sealwright-demo-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const children = cleanup.use(new Children());
  const signal = interruption();
  cleanup.defer(signal.ignore);
  try {
    const ports = options.ports ?? (await findPorts());
    const play = playDemo({ children, cleanup, folder, ports, progress: sayProgress });
    // An interrupted play fails when its children go; that failure is not news.
    play.catch(() => undefined);
    const report = await Promise.race([play, signal.came]);
    if (report === undefined) return exitInterrupted;
    print(report, options);
    if (!report.ok) process.stderr.write(logTails(join(folder, "logs")));
    if (options.keep && report.ok) await signal.came;
    return report.ok ? 0 : 1;
  } catch (error) {
    const { code, facts, row } = asSealwrightError(error);
    process.stderr.write(`${logTails(join(folder, "logs"))}${code}: ${row.text} ${facts.reason ?? ""}\n`);
    return 1;
  }
}

function print({ tryOut, ...report }: DemoReport, { keep, json }: DemoOptions): void {
  const shown: DemoReport = keep && tryOut !== undefined ? { ...report, tryOut } : report;
  const text = json ? `${JSON.stringify(shown, undefined, 2)}\n` : reportText(shown, inkFor(process.stdout.isTTY));
  process.stdout.write(text);
}

function sayProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`);
}

async function findPorts(): Promise<DemoPorts> {
  const [store = 0, lookout = 0, outbound = 0, inbound = 0, admin = 0, app = 0] = await freePorts(6);
  return { store, lookout, outbound, inbound, admin, app };
}

/** The first SIGINT or SIGTERM, as a promise. */
function interruption(): { readonly came: Promise<undefined>; readonly ignore: () => void } {
  const came = Promise.withResolvers<undefined>();
  const hear = (): void => came.resolve(undefined);
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, hear);
  return {
    came: came.promise,
    ignore: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, hear);
    },
  };
}
