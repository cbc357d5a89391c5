import { SealwrightError } from "../../base/sealwright-error.ts";
import { parseKeyringFile, type KeyringFile } from "./keyring-file.ts";

/** One keyring file as it stands in its store, not understood yet. */
export interface StoredBytes {
  /** What messages call it: a path, or the name of a ConfigMap and its key. */
  readonly name: string;
  readonly bytes: Buffer;
  /** What the store knows this state by, where it tells states apart by more than their bytes. */
  readonly version?: string | undefined;
}

export interface StoredShard extends StoredBytes {
  readonly file: KeyringFile;
}

/** A file holds about 2,400 entries a MiB; more belongs into shards. */
export const longestStoredFile = 64 * 1024 * 1024;

/** Where a keyring is kept. It knows nothing of what makes a keyring genuine: whoever reads verifies. */
export interface KeyringStore {
  /** As it is written in the configuration. */
  readonly location: string;
  /** A path where changes can be noticed; absent = the store has to be asked now and then. */
  readonly watchPath?: string | undefined;
  /** All files. Throws `file_unreadable`, `keyring_invalid` (too long), `store_unavailable`. */
  read(): Promise<readonly StoredBytes[]>;
  /** Makes a keyring where none is: all files or none. Throws `file_exists`, `file_unreadable`, `store_unavailable`. */
  create(files: readonly KeyringFile[]): Promise<void>;
  /**
   * Puts `file` in its shard's place if the store still holds what was `seen`, and proves that it reads back. A crash leaves the
   * old or the new file. Throws `keyring_busy` (it holds something else), `file_unreadable`, `store_unavailable`.
   */
  replace(seen: readonly StoredShard[], file: KeyringFile): Promise<void>;
  /** Runs `task` while no other process changes the keyring, where the store can lock. Throws `keyring_busy`. */
  exclusively<T>(task: () => Promise<T>): Promise<T>;
}

/** Throws `keyring_invalid`, which names the file. */
export function parseStored(stored: readonly StoredBytes[]): readonly StoredShard[] {
  return stored.map((each) => ({ ...each, file: parsed(each) }));
}

/** The file among `seen` that `file` takes the place of. */
export function shardSeen(seen: readonly StoredShard[], file: KeyringFile): StoredShard {
  const found = seen.find((each) => each.file.shard.index === file.shard.index);
  if (found === undefined) throw new SealwrightError("internal", { reason: "changed shard is not stored" });
  return found;
}

function parsed({ bytes, name }: StoredBytes): KeyringFile {
  try {
    return parseKeyringFile(bytes);
  } catch (error) {
    throw error instanceof SealwrightError ? error.withFacts({ file: name }) : error;
  }
}
