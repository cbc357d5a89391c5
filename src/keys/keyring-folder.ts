import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SealwrightError } from "../base/sealwright-error.ts";
import { parseKeyringFile, type KeyringFile } from "./keyring-file.ts";

/** One keyring file as it stands on disk. */
export interface StoredBytes {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface StoredShard extends StoredBytes {
  readonly file: KeyringFile;
}

/** A file holds about 2,400 entries a MiB; more belongs into shards. */
const longestFile = 64 * 1024 * 1024;

/**
 * The keyring's files at `path`: the file itself, or all `*.json` of a folder. Names that begin with a dot are left alone: they
 * are mounts' own links and what an interrupted write left behind. Throws `file_unreadable`, `keyring_invalid`.
 */
export async function readKeyringFiles(path: string): Promise<readonly StoredShard[]> {
  return parseStored(await readKeyringBytes(path));
}

/** The same, not understood yet: enough to see whether anything changed. Throws `file_unreadable`, `keyring_invalid`. */
export async function readKeyringBytes(path: string): Promise<readonly StoredBytes[]> {
  const paths = await keyringPaths(path);
  return Promise.all(paths.map(async (file) => ({ path: file, bytes: await readShard(file) })));
}

/** Throws `keyring_invalid`. */
export function parseStored(stored: readonly StoredBytes[]): readonly StoredShard[] {
  return stored.map(({ path, bytes }) => ({ path, bytes, file: parsed(bytes, path) }));
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
