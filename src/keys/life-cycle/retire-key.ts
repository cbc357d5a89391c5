import { entryNamed, keyState } from "../keyring/entry-named.ts";
import { printTime, type KeyringEntry } from "../keyring/keyring-file.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import { shardWith } from "../keyring/keyring-shard.ts";
import { changeKeyring } from "../keyring/change-keyring.ts";

/**
 * Retires a key that seals no more, or one that never did: what it sealed opens no longer. Whether that is wise was decided
 * before, of `seen`: a key that has changed since is refused. Throws `key_state`, `keyring_*`, `kms_*`.
 */
export async function retireKey(office: KeyringOffice, seen: KeyringEntry): Promise<KeyringEntry> {
  return changeKeyring(office, (keyring) => {
    const entry = entryNamed(keyring, seen.id);
    assertRetirable(entry);
    if (entry.state !== seen.state || entry.notBefore !== seen.notBefore) throw keyState("changed meanwhile", entry);
    const retired: KeyringEntry = { ...entry, state: "retired", notBefore: printTime(office.clock.wallMs()) };
    return Promise.resolve({ shard: shardWith(keyring, retired), result: retired });
  });
}

/** Throws `key_state`. */
export function assertRetirable(entry: KeyringEntry): void {
  if (entry.state === "active") throw keyState("it seals now: rotate first", entry);
  if (entry.state === "retired") throw keyState("retired already", entry);
}
