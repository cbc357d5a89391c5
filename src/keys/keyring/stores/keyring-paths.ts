import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { longestStoredFile, type StoredBytes } from "../keyring-store.ts";

/**
 * The keyring's files at `path`: the file itself, or all `*.json` of a folder. Names that begin with a dot are left alone: they
 * are mounts' own links and what an interrupted write left behind. Throws `file_unreadable`, `keyring_invalid`.
 */
export async function readKeyringPaths(path: string): Promise<readonly StoredBytes[]> {
  const paths = await keyringPaths(path);
  return Promise.all(paths.map(async (name) => ({ name, bytes: await readShard(name) })));
}

async function keyringPaths(path: string): Promise<readonly string[]> {
  const found = await reading(path, stat(path));
  if (!found.isDirectory()) return [path];
  const names = await reading(path, readdir(path));
  return names
    .filter((name) => name.endsWith(".json") && !name.startsWith("."))
    .sort()
    .map((name) => join(path, name));
}

async function readShard(path: string): Promise<Buffer> {
  const found = await reading(path, stat(path));
  if (found.size > longestStoredFile) throw new SealwrightError("keyring_invalid", { file: path, reason: "too long" });
  return reading(path, readFile(path));
}

/** Throws `file_unreadable`. */
export async function reading<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}
