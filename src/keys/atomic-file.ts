import { chmod, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SealwrightError } from "../base/sealwright-error.ts";

/**
 * Replaces the file at `path`, or makes it, so that a reader sees the old or the new text and a crash leaves one of them: a
 * temporary file in the same folder, flushed, renamed over it, the folder flushed. An existing file keeps its mode.
 * The caller holds the lock. Throws `file_unreadable`.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    await removeLeftovers(folder, basename(path));
    await writeFlushed(temporary, text);
    const mode = await modeOf(path);
    if (mode !== undefined) await chmod(temporary, mode);
    await rename(temporary, path);
    await flushFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new SealwrightError("file_unreadable", { file: path, reason: "cannot be written" }, error);
  }
}

/** Makes a new file, never over an existing one, flushed with its folder. Throws `file_exists`, `file_unreadable`. */
export async function createFile(path: string, text: string): Promise<void> {
  try {
    await writeFlushed(path, text);
    await flushFolder(dirname(path));
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    const code = exists ? "file_exists" : "file_unreadable";
    throw new SealwrightError(code, { file: path, reason: "cannot be written" }, error);
  }
}

/** What an interrupted write left behind: whoever holds the lock is the only writer, so nobody is using it. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  for (const each of await readdir(folder)) {
    if (each.startsWith(`.${name}.`) && each.endsWith(".tmp")) await rm(join(folder, each), { force: true });
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch {
    return undefined;
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
