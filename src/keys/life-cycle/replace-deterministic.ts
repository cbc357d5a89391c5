import { editEntries } from "../keyring/edit-entries.ts";
import { keyState } from "../keyring/entry-named.ts";
import { printTime, type KeyringEntry } from "../keyring/keyring-file.ts";
import { activateKey, listKeys, ripeEntry } from "./keyring-life-cycle.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import { isLike } from "./new-entry.ts";

/**
 * Activates a pending deterministic key in place of the active one of its scope. The old one is closed first: interrupted between
 * the two, the scope seals nothing, never under two keys. Throws `key_state`, `keyring_*`, `kms_*`.
 */
export async function replaceDeterministic(office: KeyringOffice, id: string): Promise<KeyringEntry> {
  const wanted = ripeEntry(await listKeys(office), id, office.clock.wallMs());
  if (wanted.use !== "deterministic") throw keyState("only a deterministic key takes another's place", wanted);
  await editEntries(office, ({ entries }) =>
    entries
      .filter((entry) => entry.state === "active" && isLike(entry, wanted))
      .map((entry) => ({ ...entry, state: "decrypt-only", notBefore: printTime(office.clock.wallMs()) })),
  );
  return activateKey(office, wanted.id);
}
