import { noSightings, type Coverage, type KeySightings } from "../../keys/life-cycle/key-sightings.ts";
import type { UsageReport } from "../../keys/usage/usage-report.ts";
import type { FoundKey } from "./found-keys.ts";
import { scanData, type DataScan, type ScanWatch } from "./scan-data.ts";
import { readUsageReports } from "./usage-reports.ts";

/** Where to look: each a file or a folder. */
export interface SightingSources {
  readonly reports: readonly string[];
  readonly scans: readonly string[];
}

/** What usage reports and scans know of keys. */
export interface Sightings {
  readonly coverage: Coverage;
  /** The scan of all paths; absent where none was given. */
  readonly scan: DataScan | undefined;
  readonly reports: readonly UsageReport[];
  /** Of one key: 64 hex digits. */
  of(id: string): KeySightings;
}

/** Reads the reports and scans the data. Throws `file_unreadable`, `usage_report_invalid`. */
export async function collectSightings(sources: SightingSources, watch: ScanWatch): Promise<Sightings> {
  const reports = await readUsageReports(sources.reports);
  const scan = sources.scans.length === 0 ? undefined : await scanData(sources.scans, watch);
  const found = foundById(scan?.keys.all() ?? []);
  return Object.freeze({
    scan,
    reports,
    coverage: {
      scans: scan === undefined ? [] : [scan.coverage],
      reports: reports.map(({ since, writtenAt, other }) => ({
        since: Date.parse(since),
        writtenAt: Date.parse(writtenAt),
        unattributed: other.sealed + other.opened,
      })),
    },
    of: (id: string) => ({ ...reported(id, reports), ...(found.get(id) ?? found.get(id.slice(0, 32))) }),
  });
}

type Found = Pick<KeySightings, "found" | "foundAt">;

/** By the id as values name it; an inline key under several KEKs is one key. */
function foundById(keys: readonly FoundKey[]): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  for (const { id, values, seenAt } of keys) {
    const known = found.get(id);
    found.set(id, { found: values + (known?.found ?? 0), foundAt: Math.max(seenAt, known?.foundAt ?? 0) });
  }
  return found;
}

function reported(id: string, reports: readonly UsageReport[]): KeySightings {
  const all = reports.flatMap(({ keys }) => keys[id] ?? []);
  const lastSealed = latest(all.map((counts) => counts.lastSealed));
  const lastOpened = latest(all.map((counts) => counts.lastOpened));
  return {
    ...noSightings,
    sealed: all.reduce((sum, { sealed }) => sum + sealed, 0),
    opened: all.reduce((sum, { opened }) => sum + opened, 0),
    ...(lastSealed === undefined ? {} : { lastSealed }),
    ...(lastOpened === undefined ? {} : { lastOpened }),
  };
}

function latest(times: readonly (string | undefined)[]): number | undefined {
  const known = times.flatMap((time) => (time === undefined ? [] : Date.parse(time)));
  return known.length === 0 ? undefined : Math.max(...known);
}
