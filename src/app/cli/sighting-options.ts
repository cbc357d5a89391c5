import { systemClock } from "../../base/clock.ts";
import type { ScanWatch } from "../inventory/scan-data.ts";
import type { CommandCall, CommandOption } from "./command.ts";
import type { Terminal } from "./terminal.ts";
import { collectSightings, type Sightings } from "../inventory/sightings.ts";

const betweenLinesMs = 1000;

/** Where a command learns which keys are in use. */
export const sightingOptions: readonly CommandOption[] = [
  {
    flags: "--reports <path>",
    help: "usage report of a sidecar, or a folder of them; can be repeated",
    repeatable: true,
  },
  {
    flags: "--scan <path>",
    help: "stored data: a file of any kind, or a folder of them; can be repeated",
    repeatable: true,
  },
];

/** What `--reports` and `--scan` tell. Throws `file_unreadable`, `usage_report_invalid`. */
export function sightingsOf({ terminal, list }: CommandCall): Promise<Sightings> {
  return collectSightings({ reports: list("reports"), scans: list("scan") }, scanWatch(terminal));
}

/** A line a second at most, and one for every file that could not be read. */
function scanWatch(terminal: Terminal): ScanWatch {
  let toldAt = systemClock.monotonicMs();
  return {
    progress: ({ files, bytes, values }) => {
      const now = systemClock.monotonicMs();
      if (now - toldAt < betweenLinesMs) return;
      toldAt = now;
      terminal.progress(`${values} values in ${files} files, ${megabytes(bytes)}`);
    },
    unreadable: (path, code) => terminal.progress(`${terminal.paint.warn("not read to its end")} (${code}): ${path}`),
  };
}

/** Whole megabytes of 10^6 bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
