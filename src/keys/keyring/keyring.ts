import { SealwrightError } from "../../base/sealwright-error.ts";
import type { KeyringEntry, KeyringFile, KeyringWrap } from "./keyring-file.ts";

/** A whole keyring: all its shards, complete and of one mind. */
export interface Keyring {
  /** By shard index. Each shard counts its own generations: one change writes one file. */
  readonly shards: readonly KeyringFile[];
  readonly root: { readonly id: string; readonly wraps: readonly KeyringWrap[] };
  /** Of all shards, sorted by id. */
  readonly entries: readonly KeyringEntry[];
  /** The highest of the shards' generations. */
  readonly generation: number;
}

/** What is compared between ids that must not share it: the part that values write. */
const shortIdDigits = 32;

/** Puts shards together. Their MACs are checked elsewhere. Throws `keyring_invalid`. */
export function joinShards(files: readonly KeyringFile[]): Keyring {
  const [first] = files;
  if (first === undefined) throw invalid("no shard");
  const shards = files.toSorted((a, b) => a.shard.index - b.shard.index);
  if (shards.length !== first.shard.count) throw invalid("shards missing or too many");
  for (const [index, file] of shards.entries()) {
    if (file.shard.index !== index || file.shard.count !== shards.length) throw invalid("shards do not fit together");
    if (file.root.id !== first.root.id) throw invalid("shards of different roots");
  }
  const entries = shards.flatMap((file) => file.entries).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const [index, { id }] of entries.entries()) {
    // Sorted, so ids with the same beginning are neighbours.
    if (entries[index + 1]?.id.slice(0, shortIdDigits) === id.slice(0, shortIdDigits)) throw invalid("ids too alike");
  }
  return { shards, root: first.root, entries, generation: Math.max(...shards.map((file) => file.generation)) };
}

function invalid(reason: string): SealwrightError {
  return new SealwrightError("keyring_invalid", { reason });
}
