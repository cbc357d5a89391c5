import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SealwrightError } from "../base/sealwright-error.ts";
import { parseKeyringFile, type KeyringFile } from "./keyring-file.ts";

/** One keyring file as it stands on disk. */
export interface StoredShard {
  readonly path: string;
  readonly bytes: Buffer;
  readonly file: KeyringFile;
}

/** A file holds about 2,400 entries a MiB; more belongs into shards. */
const longestFile = 64 * 1024 * 1024;

/**
 * The keyring's files at `path`: the file itself, or all `*.json` of a folder. Names that begin with a dot are left alone: they
 * are mounts' own links and what an interrupted write left behind. Throws `file_unreadable`, `keyring_invalid`.
 */
export async function readKeyringFiles(path: string): Promise<readonly StoredShard[]> {
  const paths = await keyringPaths(path);
  return Promise.all(
    paths.map(async (file) => {
      const bytes = await readShard(file);
      return { path: file, bytes, file: parsed(bytes, file) };
    }),
  );
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
  const { size } = await reading(path, stat(path));
  if (size > longestFile) throw new SealwrightError("keyring_invalid", { file: path, reason: "too long" });
  return reading(path, readFile(path));
}

function parsed(bytes: Buffer, path: string): KeyringFile {
  try {
    return parseKeyringFile(bytes);
  } catch (error) {
    throw error instanceof SealwrightError ? error.withFacts({ file: path }) : error;
  }
}

async function reading<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}
