import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { z } from "zod";
import { fromBase64url, toBase64url } from "../base/bytes.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

/** `{ "apiVersion": "sealwright.dev/v1", "kind": "LocalKek", "key": base64url of 32 bytes }`, mode 0600 or stricter. */
const fileSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("LocalKek"),
  key: z.string().length(43),
});

const keyBytes = 32;
const longestFile = 1024;
/** Any bit but the owner's read and write. */
const looseMode = 0o7177;

/** The key that the file holds; the caller zeroes it. Throws `key_file`. */
export async function readLocalKeyFile(path: string): Promise<Buffer> {
  // Checked on the open handle, never by name, so that nobody can swap the file in between; non-blocking for named pipes.
  const handle = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size, mode, isFile } = await statOf(handle);
    if (!isFile) throw refused(path, "no regular file");
    if ((mode & looseMode) !== 0) throw refused(path, "mode");
    if (size > longestFile) throw refused(path, "too long");
    const bytes = await handle.readFile();
    try {
      return keyOf(bytes, path);
    } finally {
      bytes.fill(0);
    }
  } finally {
    await handle.close();
  }
}

/** Writes `key` into a new file of mode 0600; never over an existing one. Throws `file_exists`, `key_file`. */
export async function writeLocalKeyFile(path: string, key: Buffer): Promise<void> {
  const handle = await openFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    // The umask only ever takes away; this makes the mode the same under every one.
    await handle.chmod(0o600);
    const file = { apiVersion: "sealwright.dev/v1", kind: "LocalKek", key: toBase64url(key) };
    await handle.writeFile(`${JSON.stringify(file, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openFile(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new SealwrightError(exists ? "file_exists" : "key_file", { file: path, reason: "cannot be opened" }, error);
  }
}

async function statOf(handle: FileHandle): Promise<{ size: number; mode: number; isFile: boolean }> {
  const stat = await handle.stat();
  return { size: stat.size, mode: stat.mode & 0o7777, isFile: stat.isFile() };
}

function keyOf(bytes: Buffer, path: string): Buffer {
  const parsed = fileSchema.safeParse(jsonOf(bytes));
  const key = parsed.success ? fromBase64url(parsed.data.key) : undefined;
  if (key?.length !== keyBytes) throw refused(path, "no LocalKek file");
  return key;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // The parser's own message would quote the file.
    return undefined;
  }
}

function refused(path: string, reason: string): SealwrightError {
  return new SealwrightError("key_file", { file: path, reason });
}
