import type { KeySightings } from "../../keys/life-cycle/key-sightings.ts";
import type { KeyringEntry } from "../../keys/keyring/keyring-file.ts";
import { retireVerdict, type RetireVerdict } from "../../keys/life-cycle/retire-verdict.ts";
import type { FoundKey } from "./found-keys.ts";
import type { Sightings } from "./sightings.ts";

/** One key of the keyring and what is known of its use. */
export interface InventoriedKey {
  readonly entry: KeyringEntry;
  readonly seen: KeySightings;
  readonly verdict: RetireVerdict;
  /** Values under it were found although it opens no longer: retired, or destroyed. */
  readonly lost: boolean;
}

/** An inline key that values name. */
export interface InventoriedInlineKey {
  readonly found: FoundKey;
  /** The configuration has its KEK; otherwise nothing here opens its values. */
  readonly known: boolean;
}

export interface KeyInventory {
  readonly keys: readonly InventoriedKey[];
  readonly inline: readonly InventoriedInlineKey[];
  /** Keys that values name and no keyring entry is: their values cannot be opened here. */
  readonly unknown: readonly FoundKey[];
  /** Values that nothing here opens. */
  readonly unopenable: number;
}

export interface InventorySources {
  readonly entries: readonly KeyringEntry[];
  /** Names of the KEKs of the configuration. */
  readonly keks: ReadonlySet<string>;
  readonly sightings: Sightings;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly decryptOnlyMs: number;
}

/** Which keys are in use, which may go, and which are missing. */
export function keyInventory({ entries, keks, sightings, now, decryptOnlyMs }: InventorySources): KeyInventory {
  const found = sightings.scan?.keys.all() ?? [];
  const known = new Set(entries.map(({ id }) => id.slice(0, 32)));
  const keys = entries.map((entry): InventoriedKey => {
    const seen = sightings.of(entry.id);
    const verdict = retireVerdict({ entry, sightings: seen, now, decryptOnlyMs, coverage: sightings.coverage });
    return { entry, seen, verdict, lost: entry.state === "retired" && seen.found > 0 };
  });
  const inline = found
    .filter(({ form }) => form === "inline")
    .map((each) => ({ found: each, known: keks.has(each.kek ?? "") }));
  const unknown = found.filter(({ form, id }) => form === "keyring" && !known.has(id));
  const unopenable =
    sum(keys.filter(({ lost }) => lost).map(({ seen }) => seen.found)) +
    sum(inline.filter((each) => !each.known).map((each) => each.found.values)) +
    sum(unknown.map(({ values }) => values));
  return { keys, inline, unknown, unopenable };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
