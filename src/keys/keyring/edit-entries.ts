import type { Keyring } from "./keyring.ts";
import { shardOf, type KeyringEntry } from "./keyring-file.ts";
import { shardAt, withEntries } from "./keyring-shard.ts";
import { listKeys } from "../life-cycle/keyring-life-cycle.ts";
import { changeKeyring, type KeyringPlace } from "./change-keyring.ts";

/**
 * What takes the place of the entries with its ids, or is added, in the keyring as it stands. Asked again under the lock, so
 * that it speaks of what stands there then.
 */
export type EntryEdit = (keyring: Keyring) => readonly KeyringEntry[];

/** Writes what `edit` gives, a shard at a time; gives what was written. Throws `keyring_*`, `kms_*`, `file_unreadable`. */
export async function editEntries(place: KeyringPlace, edit: EntryEdit): Promise<readonly KeyringEntry[]> {
  const seen = await listKeys(place);
  const count = seen.shards.length;
  const shards = [...new Set(edit(seen).map(({ id }) => shardOf(id, count)))].sort((a, b) => a - b);
  const written: KeyringEntry[] = [];
  for (const index of shards) {
    const entries = await changeKeyring(place, (keyring) => Promise.resolve(editedShard(keyring, index, edit)));
    written.push(...entries);
  }
  return written;
}

function editedShard(keyring: Keyring, index: number, edit: EntryEdit) {
  const file = shardAt(keyring, index);
  const entries = edit(keyring).filter(({ id }) => shardOf(id, keyring.shards.length) === index);
  const replaced = new Set(entries.map(({ id }) => id));
  const shard = withEntries(file, [...file.entries.filter(({ id }) => !replaced.has(id)), ...entries]);
  return { shard: entries.length === 0 ? undefined : shard, result: entries };
}
