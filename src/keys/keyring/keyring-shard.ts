import { SealwrightError } from "../../base/sealwright-error.ts";
import type { Keyring } from "./keyring.ts";
import { shardOf, type KeyringEntry, type KeyringFile } from "./keyring-file.ts";

/** One shard's next content, unsigned and of the generation that it replaces. */
export type ShardContent = Omit<KeyringFile, "mac">;

/** The shard that the entry with this id lies in, or belongs into. */
export function shardHolding(keyring: Keyring, id: string): KeyringFile {
  return shardAt(keyring, shardOf(id, keyring.shards.length));
}

export function shardAt(keyring: Keyring, index: number): KeyringFile {
  const shard = keyring.shards[index];
  if (shard === undefined) throw new SealwrightError("internal", { reason: "no such shard" });
  return shard;
}

/** `file` with `entries`, sorted, in place of its own. */
export function withEntries(file: KeyringFile, entries: readonly KeyringEntry[]): ShardContent {
  const { apiVersion, kind, generation, shard, root } = file;
  return { apiVersion, kind, generation, shard, root, entries: entries.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** The shard of `entry`, which takes the place of what has its id. */
export function shardWith(keyring: Keyring, entry: KeyringEntry): ShardContent {
  const file = shardHolding(keyring, entry.id);
  return withEntries(file, [...file.entries.filter(({ id }) => id !== entry.id), entry]);
}
