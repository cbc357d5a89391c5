import type { InventoriedKey, KeyInventory } from "../inventory/key-inventory.ts";
import type { FoundKey } from "../inventory/found-keys.ts";
import type { Sightings } from "../inventory/sightings.ts";
import { printTime } from "../../keys/keyring/keyring-file.ts";
import { entryMembers } from "./keyring-entries.ts";
import { columnLines } from "./member-lines.ts";
import { megabytes } from "./sighting-options.ts";

/** Tables for people: the keyring's keys, those that only values name, the verdicts. */
export function inventoryLines(inventory: KeyInventory, sightings: Sightings): readonly string[] {
  const { keys, inline, unknown } = inventory;
  // What nobody has looked at is no zero.
  const seen = { scan: sightings.scan !== undefined, reports: sightings.reports.length > 0 };
  const rows = [
    ["ID", "STATE", "TENANT", "DATASET", "KEK", ...told(seen, ["FOUND", "LAST FOUND"], reportHeader)],
    ...keys.map((key) => keyRow(key, seen)),
    ...inline.map(({ found, known }) => foundRow(found, known ? "inline" : "inline, KEK UNKNOWN", seen)),
    ...unknown.map((found) => foundRow(found, "UNKNOWN", seen)),
  ];
  return [...columnLines(rows), "", ...keys.flatMap(verdictLines), ...coverageLines(sightings)];
}

const reportHeader = ["SEALED", "OPENED", "LAST OPENED"];

interface Seen {
  readonly scan: boolean;
  readonly reports: boolean;
}

/** The cells of those columns that somebody has looked for. */
function told({ scan, reports }: Seen, byScan: readonly string[], byReports: readonly string[]): readonly string[] {
  return [...(scan ? byScan : []), ...(reports ? byReports : [])];
}

function keyRow({ entry, seen: known, lost }: InventoriedKey, seen: Seen): readonly string[] {
  const { id, state, scope, wraps } = entry;
  return [
    id.slice(0, 16),
    lost ? `${state}, LOST` : state,
    scope.tenant ?? "any",
    scope.dataset ?? "any",
    wraps.map(({ kek }) => kek).join(",") || "-",
    ...told(
      seen,
      [String(known.found), time(known.foundAt)],
      [String(known.sealed), String(known.opened), time(known.lastOpened)],
    ),
  ];
}

function foundRow({ id, kek, values, seenAt }: FoundKey, state: string, seen: Seen): readonly string[] {
  return [
    id.slice(0, 16),
    state,
    "-",
    "-",
    kek ?? "-",
    ...told(
      seen,
      [String(values), time(seenAt)],
      reportHeader.map(() => "-"),
    ),
  ];
}

/** Of keys that seal no more; of the others the state says it all. */
function verdictLines({ entry, verdict }: InventoriedKey): readonly string[] {
  if (entry.state !== "decrypt-only") return [];
  const word = verdict.eligible ? "may retire" : "stays";
  return [`${entry.id.slice(0, 16)} ${word}: ${verdict.reasons.join("; ")}`];
}

function coverageLines({ scan, reports }: Sightings): readonly string[] {
  return [
    ...(scan === undefined
      ? []
      : [`scanned ${scan.coverage.files} files, ${megabytes(scan.bytes)}: ${scan.keys.values} sealed values`]),
    ...(reports.length === 0 ? [] : [`read the usage reports of ${reports.length} sidecars`]),
  ];
}

/** The same for machines. */
export function inventoryMembers(inventory: KeyInventory, { scan, reports }: Sightings) {
  return {
    keys: inventory.keys.map(({ entry, seen, verdict, lost }) => ({
      ...entryMembers(entry),
      found: seen.found,
      foundAt: optionalTime(seen.foundAt),
      sealed: seen.sealed,
      lastSealed: optionalTime(seen.lastSealed),
      opened: seen.opened,
      lastOpened: optionalTime(seen.lastOpened),
      lost,
      verdict,
    })),
    inline: inventory.inline.map(({ found, known }) => ({ ...foundMembers(found), kek: found.kek, kekKnown: known })),
    unknown: inventory.unknown.map(foundMembers),
    unopenable: inventory.unopenable,
    ...(scan === undefined
      ? {}
      : {
          scan: {
            files: scan.coverage.files,
            unreadable: scan.coverage.unreadable,
            bytes: scan.bytes,
            values: scan.keys.values,
          },
        }),
    reports: reports.map(({ sidecar, since, writtenAt }) => ({ sidecar, since, writtenAt })),
  };
}

function foundMembers({ id, values, seenAt }: FoundKey) {
  return { id, found: values, foundAt: optionalTime(seenAt) };
}

function optionalTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : printTime(ms);
}

function time(ms: number | undefined): string {
  return optionalTime(ms) ?? "-";
}
