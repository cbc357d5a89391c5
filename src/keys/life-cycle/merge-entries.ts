import { scopesOverlap } from "../keyring/entry-scope.ts";
import { isFurther } from "../keyring/entry-transitions.ts";
import { printTime, type KeyringEntry } from "../keyring/keyring-file.ts";
import { defaultSpreadMs } from "./new-entry.ts";

/** Two accounts of the same keys. */
export interface TwoAccounts {
  /** Of the keyring in place. */
  readonly standing: readonly KeyringEntry[];
  /** Of the backup. */
  readonly saved: readonly KeyringEntry[];
  /** The backup's account of the key with this id is of a later generation. */
  readonly savedIsNewer: (id: string) => boolean;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * One account in which nothing is lost and nothing goes back: every entry of both; of two with one id the state that is further
 * on and the newer side's wraps; destroyed in either is destroyed.
 */
export function mergeEntries(accounts: TwoAccounts): readonly KeyringEntry[] {
  const { standing, saved, savedIsNewer } = accounts;
  const known = new Set(standing.map(({ id }) => id));
  const savedById = new Map(saved.map((entry) => [entry.id, entry]));
  const kept = standing.map((entry) => {
    const other = savedById.get(entry.id);
    return other === undefined ? entry : mergeEntry(entry, other, savedIsNewer(entry.id));
  });
  const back = saved.filter(({ id }) => !known.has(id)).map((entry) => comingBack(entry, kept, accounts));
  return [...kept, ...back];
}

function mergeEntry(standing: KeyringEntry, saved: KeyringEntry, savedIsNewer: boolean): KeyringEntry {
  const further = isFurther(saved.state, standing.state) ? saved : standing;
  if (standing.wraps.length === 0 || saved.wraps.length === 0) return { ...further, wraps: [] };
  return { ...further, wraps: savedIsNewer ? saved.wraps : standing.wraps };
}

/**
 * A key that the keyring in place has not. If pending, it spreads anew. If active beside others of its scope, it would seal in
 * the sidecars that read the keyring first while the rest cannot open it yet, and equal strings would seal unequal under two
 * deterministic keys: it opens, and the others seal.
 */
function comingBack(entry: KeyringEntry, kept: readonly KeyringEntry[], accounts: TwoAccounts): KeyringEntry {
  const { nowMs, savedIsNewer } = accounts;
  if (entry.state === "pending") {
    const spread = printTime(nowMs + defaultSpreadMs);
    return spread > entry.notBefore ? { ...entry, notBefore: spread } : entry;
  }
  if (entry.state !== "active" || (savedIsNewer(entry.id) && entry.use === "randomized")) return entry;
  const another = kept.some(
    ({ state, use, scope }) => state === "active" && use === entry.use && scopesOverlap(scope, entry.scope),
  );
  return another ? { ...entry, state: "decrypt-only", notBefore: printTime(nowMs) } : entry;
}
