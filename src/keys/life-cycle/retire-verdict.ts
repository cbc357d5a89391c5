import type { Coverage, KeySightings } from "./key-sightings.ts";
import { printTime, type KeyringEntry, type KeyState } from "../keyring/keyring-file.ts";

export interface RetireQuestion {
  readonly entry: Pick<KeyringEntry, "state" | "notBefore">;
  readonly sightings: KeySightings;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How long a key goes on opening after it sealed last; and how long it must not have opened anything. */
  readonly decryptOnlyMs: number;
  readonly coverage: Coverage;
}

export interface RetireVerdict {
  readonly eligible: boolean;
  /** Why not, each in plain words; where eligible, what it rests on. Never empty. */
  readonly reasons: readonly string[];
}

/** A sidecar that runs writes its report every 30 seconds: an older one says nothing of the time since. Milliseconds. */
const freshMs = 86_400_000;

const stateReasons: Readonly<Record<Exclude<KeyState, "decrypt-only">, string>> = Object.freeze({
  pending: "it is pending: it has not sealed yet and is about to",
  active: "it is active: it may seal now",
  retired: "it is retired already",
});

/**
 * May the key go? Only where it seals no more, its decrypt-only window is over, and somebody has looked: no scan found a value
 * under it, and every report was written after the window's end and knows of no opening within the window's length. Without a scan
 * every report has to speak of all of that length: one that began anew has forgotten what it saw. What is not known counts against
 * retiring. Pure.
 */
export function retireVerdict(question: RetireQuestion): RetireVerdict {
  const { state } = question.entry;
  const against = state === "decrypt-only" ? reasonsAgainst(question) : [stateReasons[state]];
  return against.length > 0 ? { eligible: false, reasons: against } : { eligible: true, reasons: reasonsFor(question) };
}

function reasonsAgainst(question: RetireQuestion): readonly string[] {
  const { coverage } = question;
  return [
    ...windowReasons(question),
    ...(coverage.reports.length + coverage.scans.length === 0
      ? ["nobody has looked: neither a usage report nor a scan of the data was given"]
      : []),
    ...scanReasons(question),
    ...reportReasons(question),
  ];
}

/** The last time at which it can have sealed, as far as anybody knows. */
function sealedLast({ entry, sightings }: RetireQuestion): number {
  return Math.max(Date.parse(entry.notBefore), sightings.lastSealed ?? 0);
}

function windowReasons(question: RetireQuestion): readonly string[] {
  const end = sealedLast(question) + question.decryptOnlyMs;
  return question.now < end ? [`its decrypt-only window ends at ${printTime(end)}`] : [];
}

function scanReasons(question: RetireQuestion): readonly string[] {
  const { found, foundAt } = question.sightings;
  const { scans } = question.coverage;
  const newest = Math.max(0, ...scans.map((scan) => scan.newest ?? 0));
  const unreadable = scans.reduce((sum, scan) => sum + scan.unreadable, 0);
  return [
    ...(found > 0 ? [`${counted(found, "value")} under it found${at(foundAt, " in data of ")}`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, "file")} could not be scanned to the end`] : []),
    ...(scans.length > 0 && scans.every(({ files }) => files === 0) ? ["the scan met no file"] : []),
    ...(scans.some(({ files }) => files > 0) && newest < sealedLast(question)
      ? [`the data scanned is older (${printTime(newest)}) than what it may have sealed last`]
      : []),
  ];
}

function reportReasons(question: RetireQuestion): readonly string[] {
  const { sightings, now, decryptOnlyMs, coverage } = question;
  const { reports } = coverage;
  const quietSince = now - decryptOnlyMs;
  const windowEnd = sealedLast(question) + decryptOnlyMs;
  const early = now < windowEnd ? 0 : reports.filter(({ writtenAt }) => writtenAt < windowEnd).length;
  const crowded = reports.filter(({ unattributed }) => unattributed > 0).length;
  const alone = coverage.scans.length === 0;
  const short = alone ? reports.filter(({ since }) => since > quietSince).length : 0;
  const stale = alone && early === 0 ? reports.filter(({ writtenAt }) => writtenAt < now - freshMs).length : 0;
  const { lastOpened } = sightings;
  return [
    ...(lastOpened !== undefined && lastOpened > quietSince
      ? [`values under it were opened${at(lastOpened, " at ")}`]
      : []),
    ...(early > 0
      ? [`${counted(early, "usage report")} written before its window's end (drop those of sidecars that are gone)`]
      : []),
    ...(crowded > 0 ? [`${counted(crowded, "usage report")} had no room for all keys`] : []),
    ...(short > 0
      ? [`${counted(short, "usage report")} not reaching back to ${printTime(quietSince)}, and no data was scanned`]
      : []),
    ...(stale > 0 ? [`${counted(stale, "usage report")} older than a day, and no data was scanned`] : []),
  ];
}

function reasonsFor({ coverage, now, decryptOnlyMs }: RetireQuestion): readonly string[] {
  const { reports, scans } = coverage;
  const files = scans.reduce((sum, scan) => sum + scan.files, 0);
  return [
    "its decrypt-only window is over",
    ...(scans.length > 0 ? [`no value under it in ${counted(files, "file")}`] : []),
    ...(reports.length > 0
      ? [`not opened since ${printTime(now - decryptOnlyMs)} by ${counted(reports.length, "usage report")}`]
      : []),
  ];
}

function at(ms: number | undefined, before: string): string {
  return ms === undefined ? "" : `${before}${printTime(ms)}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
