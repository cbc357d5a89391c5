import { assertLawfulChange } from "./entry-transitions.ts";
import { joinShards, type Keyring } from "./keyring.ts";
import { parseKeyringFile, printKeyringFile, type KeyringFile } from "./keyring-file.ts";
import type { KeyringMac } from "./keyring-mac.ts";
import { verifyKeyring } from "./keyring-root.ts";
import { shardAt, type ShardContent } from "./keyring-shard.ts";
import { parseStored, type KeyringStore } from "./keyring-store.ts";
import type { KmsByName } from "../unwrapper.ts";

/** Where the keyring lies and what verifies it. */
export interface KeyringPlace {
  readonly store: KeyringStore;
  readonly rootId?: string | undefined;
  readonly kms: KmsByName;
  /** KEKs that are asked before others, in order. */
  readonly keks?: readonly string[] | undefined;
}

/** A verified keyring and what signs its next version. */
export interface OpenedKeyring {
  readonly keyring: Keyring;
  readonly mac: KeyringMac;
}

/** Reads and verifies; the caller ends `mac`. Throws what `KeyringStore.read` throws, `keyring_*`, `kms_*`. */
export async function openKeyring(place: KeyringPlace): Promise<OpenedKeyring> {
  const keyring = joinShards(parseStored(await place.store.read()).map(({ file }) => file));
  return { keyring, mac: await verifyKeyring(keyring, place.kms, place.rootId, place.keks) };
}

/** What a change makes of the keyring. */
export interface KeyringChange<T> {
  /** New content of one shard, unsigned and of the generation it replaces; absent = nothing changes, nothing is written. */
  readonly shard?: ShardContent | undefined;
  /** Given to the caller once it is stored. */
  readonly result: T;
}

/**
 * One change by one process at a time: `change` gets the verified keyring and gives the shard that it alters. What is written
 * is of the next generation, signed, proven readable before and read back after.
 * Throws what `openKeyring`, `change` and `KeyringStore.replace` throw, `keyring_busy`.
 */
export async function changeKeyring<T>(
  place: KeyringPlace,
  change: (keyring: Keyring) => Promise<KeyringChange<T>>,
  assertLawful: typeof assertLawfulChange = assertLawfulChange,
): Promise<T> {
  return place.store.exclusively(async () => {
    const seen = parseStored(await place.store.read());
    const keyring = joinShards(seen.map(({ file }) => file));
    const mac = await verifyKeyring(keyring, place.kms, place.rootId, place.keks);
    try {
      const { shard, result } = await change(keyring);
      if (shard === undefined) return result;
      assertLawful(shardAt(keyring, shard.shard.index), shard);
      const file = mac.sign({ ...shard, generation: shard.generation + 1 });
      assertReadable(keyring, file, mac);
      await place.store.replace(seen, file);
      return result;
    } finally {
      mac.end();
    }
  });
}

/** The printed text must parse, fit the other shards and verify, before anything that is stored is touched. */
export function assertReadable(keyring: Keyring, file: KeyringFile, mac: KeyringMac): void {
  const parsed = parseKeyringFile(Buffer.from(printKeyringFile(file)));
  joinShards(keyring.shards.map((shard, index) => (index === file.shard.index ? parsed : shard)));
  mac.verify(parsed);
}

/** Writes a keyring that does not exist yet. Throws what `KeyringStore.create` throws. */
export async function writeNewKeyring(store: KeyringStore, files: readonly KeyringFile[]): Promise<void> {
  joinShards(files.map((file) => parseKeyringFile(Buffer.from(printKeyringFile(file)))));
  await store.create(files);
}
