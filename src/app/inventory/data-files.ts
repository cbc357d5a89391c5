import type { Dirent } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { SealwrightError } from "../../base/sealwright-error.ts";

export interface DataFile {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
  /** A link to what is not below the folder, or is not there: nobody looks behind it. */
  readonly leadsOut?: boolean;
}

/**
 * The regular files that `path` names: itself, or all below it. Links inside folders are not followed: what they name is met
 * where it is, or they lead out. Throws `file_unreadable`.
 */
export async function* dataFiles(path: string): AsyncGenerator<DataFile> {
  const found = await readable(path, stat(path));
  if (found.isFile()) yield { path, bytes: found.size, writtenAt: found.mtimeMs };
  else if (found.isDirectory()) yield* filesBelow(path, await readable(path, realpath(path)));
  else throw new SealwrightError("file_unreadable", { file: path, reason: "neither a file nor a folder" });
}

/** `root`: the folder that was named, without links. */
async function* filesBelow(folder: string, root: string): AsyncGenerator<DataFile> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, root);
    else if (entry.isSymbolicLink()) {
      if (!(await isBelow(root, path))) yield { path, bytes: 0, writtenAt: 0, leadsOut: true };
    } else if (entry.isFile()) {
      const { size, mtimeMs } = await readable(path, stat(path));
      yield { path, bytes: size, writtenAt: mtimeMs };
    }
  }
}

async function isBelow(root: string, link: string): Promise<boolean> {
  try {
    return (await realpath(link)).startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    return false;
  }
}

/** Read before anything else is done, so that no folder stays open while its files are read. */
async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  const entries: Dirent[] = [];
  for await (const entry of await readable(folder, opendir(folder))) entries.push(entry);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readable<T>(path: string, look: Promise<T>): Promise<T> {
  return look.catch((error: unknown) => {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  });
}
