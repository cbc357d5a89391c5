import type { KeyringEntry } from "../../keys/keyring/keyring-file.ts";
import { columnLines } from "./member-lines.ts";

/** An entry without its wrapped keys: they are for the keyring file only. */
export function entryMembers(entry: KeyringEntry) {
  const { id, use, scope, state, createdAt, notBefore, wraps } = entry;
  return { id, use, scope, state, createdAt, notBefore, keks: wraps.map(({ kek }) => kek) };
}

const header = ["ID", "STATE", "USE", "TENANT", "DATASET", "CREATED", "SINCE", "KEK"];

/** A table of entries; ids by their first 16 digits, as logs have them. SINCE: when they came into their state, or may leave it. */
export function entryLines(entries: readonly KeyringEntry[]): readonly string[] {
  const rows = entries.map(({ id, state, use, scope, createdAt, notBefore, wraps }) => [
    id.slice(0, 16),
    state,
    use,
    scope.tenant ?? "any",
    scope.dataset ?? "any",
    createdAt,
    state === "pending" ? `from ${notBefore}` : notBefore,
    wraps.length === 0 ? "destroyed" : wraps.map(({ kek }) => kek).join(","),
  ]);
  return columnLines([header, ...rows]);
}
