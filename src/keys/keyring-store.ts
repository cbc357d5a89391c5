import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SealwrightError } from "../base/sealwright-error.ts";
import { createFile, replaceFile } from "./atomic-file.ts";
import { assertLawfulChange } from "./entry-transitions.ts";
import { joinShards, type Keyring } from "./keyring.ts";
import { parseKeyringFile, printKeyringFile, type KeyringFile } from "./keyring-file.ts";
import { readKeyringFiles, type StoredShard } from "./keyring-folder.ts";
import { withKeyringLock } from "./keyring-lock.ts";
import type { KeyringMac } from "./keyring-mac.ts";
import { verifyKeyring } from "./keyring-root.ts";
import { shardAt, type ShardContent } from "./keyring-shard.ts";
import type { KmsByName } from "./unwrapper.ts";

/** Where the keyring lies and what verifies it. */
export interface KeyringPlace {
  readonly path: string;
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

/** Reads and verifies; the caller ends `mac`. Throws `file_unreadable`, `keyring_invalid`, `keyring_forged`, `kms_*`. */
export async function openKeyring(place: KeyringPlace): Promise<OpenedKeyring> {
  const keyring = joinShards((await readKeyringFiles(place.path)).map(({ file }) => file));
  return { keyring, mac: await verifyKeyring(keyring, place.kms, place.rootId, place.keks) };
}

/** What a change makes of the keyring. */
export interface KeyringChange<T> {
  /** New content of one shard, unsigned and of the generation it replaces; absent = nothing changes, nothing is written. */
  readonly shard?: ShardContent | undefined;
  /** Given to the caller once it stands on disk. */
  readonly result: T;
}

/**
 * One change by one process at a time: `change` gets the verified keyring and gives the shard that it alters. What is written
 * is of the next generation, signed, proven readable before and read back after.
 * Throws what `openKeyring` and `change` throw, `keyring_busy`, `file_unreadable`.
 */
export async function changeKeyring<T>(
  place: KeyringPlace,
  change: (keyring: Keyring) => Promise<KeyringChange<T>>,
): Promise<T> {
  // A link (such as a mount's) is followed, so that the file behind it is replaced and not the link.
  const path = await resolved(place.path);
  return withKeyringLock(await lockPathOf(path), async () => {
    const stored = await readKeyringFiles(path);
    const keyring = joinShards(stored.map(({ file }) => file));
    const mac = await verifyKeyring(keyring, place.kms, place.rootId, place.keks);
    try {
      const { shard, result } = await change(keyring);
      if (shard === undefined) return result;
      assertLawfulChange(shardAt(keyring, shard.shard.index), shard);
      const file = mac.sign({ ...shard, generation: shard.generation + 1 });
      checkWritable(keyring, file, mac);
      const target = targetOf(stored, file);
      await assertUnchanged(path, stored);
      await replaceFile(target.path, printKeyringFile(file));
      await readBack(path, file, mac);
      return result;
    } finally {
      mac.end();
    }
  });
}

/** Writes a keyring that does not exist yet: one file, or a new folder of shards. Throws `file_exists`, `file_unreadable`. */
export async function writeNewKeyring(path: string, files: readonly KeyringFile[]): Promise<void> {
  joinShards(files.map((file) => parseKeyringFile(Buffer.from(printKeyringFile(file)))));
  const [only, ...more] = files;
  if (only !== undefined && more.length === 0) return createFile(path, printKeyringFile(only));
  await newFolder(path);
  for (const file of files) await createFile(join(path, `shard-${file.shard.index}.json`), printKeyringFile(file));
}

/** The printed text must parse, fit the other shards and verify, before anything on disk is touched. */
function checkWritable(keyring: Keyring, file: KeyringFile, mac: KeyringMac): void {
  const parsed = parseKeyringFile(Buffer.from(printKeyringFile(file)));
  joinShards(keyring.shards.map((shard, index) => (index === file.shard.index ? parsed : shard)));
  mac.verify(parsed);
}

function targetOf(stored: readonly StoredShard[], file: KeyringFile): StoredShard {
  const target = stored.find((each) => each.file.shard.index === file.shard.index);
  if (target === undefined) throw new SealwrightError("internal", { reason: "changed shard is not stored" });
  return target;
}

/** Against whoever writes without the lock: what was read at first must still stand there. */
async function assertUnchanged(path: string, stored: readonly StoredShard[]): Promise<void> {
  const now = await readKeyringFiles(path);
  const same =
    now.length === stored.length && now.every((shard, index) => stored[index]?.bytes.equals(shard.bytes) === true);
  if (!same) throw new SealwrightError("keyring_busy", { file: path, reason: "changed meanwhile" });
}

async function readBack(path: string, written: KeyringFile, mac: KeyringMac): Promise<void> {
  const keyring = joinShards((await readKeyringFiles(path)).map(({ file }) => file));
  for (const shard of keyring.shards) mac.verify(shard);
  if (keyring.shards[written.shard.index]?.mac !== written.mac)
    throw new SealwrightError("keyring_busy", { file: path, reason: "overwritten meanwhile" });
}

/** Beside a file, inside a folder; a dot at the front keeps readers of the folder away. */
async function lockPathOf(path: string): Promise<string> {
  const isFolder = (await stat(path)).isDirectory();
  return isFolder ? join(path, ".lock") : join(dirname(path), `.${basename(path)}.lock`);
}

async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}

async function newFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new SealwrightError(exists ? "file_exists" : "file_unreadable", { file: path }, error);
  }
}
