import { link, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SealwrightError } from "../../base/sealwright-error.ts";

/**
 * Replaces the file at `path`, or makes it, so that a reader sees the old or the new text and a crash leaves one of them: a
 * temporary file in the same folder, flushed, renamed over it, the folder flushed. An existing file keeps its mode and its owner,
 * or stays as it is where that cannot be. The caller holds the lock. Throws `file_unreadable`.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await removeLeftovers(path);
    await writeFlushed(temporary, text, (handle) => likeFileAt(path, handle));
    await rename(temporary, path);
    await flushFolder(dirname(path));
  } catch (error) {
    await removeQuietly(temporary);
    throw unwritten(path, error);
  }
}

/** Makes a new file, whole or not at all, never over an existing one. Throws `file_exists`, `file_unreadable`. */
export async function createFile(path: string, text: string): Promise<void> {
  const placed = await placeNewFile(path, text).catch((error: unknown) => {
    throw unwritten(path, error);
  });
  if (!placed) throw new SealwrightError("file_exists", { file: path });
}

/** The same without a judgement: false = there is a file already. Throws what the file system throws. */
export async function placeNewFile(path: string, text: string): Promise<boolean> {
  const temporary = temporaryBeside(path);
  try {
    await writeFlushed(temporary, text);
    const placed = await linked(temporary, path, text);
    if (placed) await flushFolder(dirname(path));
    return placed;
  } finally {
    await removeQuietly(temporary);
  }
}

/** Throws what the file system throws. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A link is the one way to put a whole file under a name that must be free. Where there are no links, the name comes first. */
async function linked(temporary: string, path: string, text: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return false;
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS" || code === "EOPNOTSUPP")
      return writtenInPlace(path, text);
    throw error;
  }
}

async function writtenInPlace(path: string, text: string): Promise<boolean> {
  try {
    await writeFlushed(path, text);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** What an interrupted write left behind: whoever holds the lock is the only writer, so nobody is using it. */
async function removeLeftovers(path: string): Promise<void> {
  const [folder, begin] = [dirname(path), `.${basename(path)}.`];
  for (const each of await readdir(folder)) {
    if (each.startsWith(begin) && /^[0-9.-]+tmp$/.test(each.slice(begin.length)))
      await rm(join(folder, each), { force: true });
  }
}

async function writeFlushed(
  path: string,
  text: string,
  adjust: (handle: FileHandle) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await adjust(handle);
    await handle.sync();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await removeQuietly(path);
    throw error;
  }
  await handle.close();
}

/** A file that others could read before, such as a sidecar under another user, is not taken from them. */
async function likeFileAt(path: string, handle: FileHandle): Promise<void> {
  const before = await statIfThere(path);
  if (before === undefined) return;
  const { uid, gid } = await handle.stat();
  if (before.uid !== uid || before.gid !== gid) await handle.chown(before.uid, before.gid);
  await handle.chmod(before.mode & 0o777);
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Nanoseconds since boot, so that no two writers of one process meet. */
function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${process.hrtime.bigint()}.tmp`);
}

/** The failure that led here is the one to tell. */
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

function unwritten(file: string, error: unknown): SealwrightError {
  return new SealwrightError("file_unreadable", { file, reason: `cannot be written: ${codeOf(error)}` }, error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
