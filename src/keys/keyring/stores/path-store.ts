import { lstat, mkdtemp, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { createFile, flushFolder, replaceFile } from "../atomic-file.ts";
import { printKeyringFile, type KeyringFile } from "../keyring-file.ts";
import { shardSeen, type KeyringStore, type StoredBytes, type StoredShard } from "../keyring-store.ts";
import { withKeyringLock } from "./keyring-lock.ts";
import { readKeyringPaths, reading } from "./keyring-paths.ts";
import { thisProcess, type ProcessName } from "./process-name.ts";

/** A keyring on a file system: one file, or a folder with a file for each shard. */
export class PathStore implements KeyringStore {
  readonly location: string;
  /** Who holds the lock when this store does; asked for anew each time. */
  readonly #holder: () => Promise<ProcessName>;

  constructor(path: string, holder: () => Promise<ProcessName> = thisProcess) {
    this.location = path;
    this.#holder = holder;
  }

  get watchPath(): string {
    return this.location;
  }

  read(): Promise<readonly StoredBytes[]> {
    return readKeyringPaths(this.location);
  }

  async create(files: readonly KeyringFile[]): Promise<void> {
    const [only, ...more] = files;
    if (only !== undefined && more.length === 0) return createFile(this.location, printKeyringFile(only));
    await this.#createFolder(files);
  }

  async replace(seen: readonly StoredShard[], file: KeyringFile): Promise<void> {
    const text = printKeyringFile(file);
    // A link (such as a mount's) is followed, so that the file behind it is replaced and not the link.
    const target = await resolved(shardSeen(seen, file).name);
    await this.#assertHolds(seen);
    await replaceFile(target, text);
    const bytes = Buffer.from(text);
    const after = seen.map((each) => (each.file.shard.index === file.shard.index ? { ...each, bytes } : each));
    await this.#assertHolds(after);
  }

  async exclusively<T>(task: () => Promise<T>): Promise<T> {
    return withKeyringLock(await lockPathOf(await resolved(this.location)), await this.#holder(), task);
  }

  /** Against whoever writes without the lock. */
  async #assertHolds(expected: readonly StoredBytes[]): Promise<void> {
    const now = await this.read();
    const same =
      now.length === expected.length && now.every(({ bytes }, index) => expected[index]?.bytes.equals(bytes) === true);
    if (!same) throw new SealwrightError("keyring_busy", { file: this.location, reason: "changed meanwhile" });
  }

  /** Under a name that nobody reads, and moved when it is whole: a folder with some of the shards is no keyring. */
  async #createFolder(files: readonly KeyringFile[]): Promise<void> {
    const path = this.location;
    if (await exists(path)) throw new SealwrightError("file_exists", { file: path });
    let made: string | undefined;
    try {
      made = await mkdtemp(join(dirname(path), `.${basename(path)}.`));
      for (const file of files) await createFile(join(made, `shard-${file.shard.index}.json`), printKeyringFile(file));
      await flushFolder(made);
      await rename(made, path);
      await flushFolder(dirname(path));
    } catch (error) {
      if (made !== undefined) await rm(made, { recursive: true, force: true });
      const code = (await exists(path)) ? "file_exists" : "file_unreadable";
      throw new SealwrightError(code, { file: path, reason: "cannot be written" }, error);
    }
  }
}

/** Beside a file, inside a folder; a dot at the front keeps readers of the folder away. */
async function lockPathOf(path: string): Promise<string> {
  const found = await reading(path, stat(path));
  return found.isDirectory() ? join(path, ".lock") : join(dirname(path), `.${basename(path)}.lock`);
}

function resolved(path: string): Promise<string> {
  return reading(path, realpath(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
