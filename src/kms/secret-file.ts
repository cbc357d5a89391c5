import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { SealwrightError } from "../base/sealwright-error.ts";

/** What is asked of a file that holds a secret. */
export interface SecretFileDemands {
  /** Bytes. */
  readonly longest: number;
  /** `owner`: mode 0600 or stricter. `group`: its group may read it too, as with a Kubernetes secret under fsGroup. */
  readonly readers: "owner" | "group";
}

/** Bits that the mode must not have. */
const looseModes = { owner: 0o7177, group: 0o7137 } as const;

/** The file's bytes; the caller zeroes them. Throws `key_file`. */
export async function readSecretFile(path: string, { longest, readers }: SecretFileDemands): Promise<Buffer> {
  // Checked on the open handle, never by name, so that nobody can swap the file in between; non-blocking for named pipes.
  const handle = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw secretFileRefused(path, "no regular file");
    if ((stat.mode & looseModes[readers]) !== 0) throw secretFileRefused(path, "mode");
    if (stat.size > longest) throw secretFileRefused(path, "too long");
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Writes `text` into a new file of mode 0600; never over an existing one. Throws `file_exists`, `key_file`. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const handle = await openFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    // The umask only ever takes away; this makes the mode the same under every one.
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function secretFileRefused(path: string, reason: string): SealwrightError {
  return new SealwrightError("key_file", { file: path, reason });
}

async function openFile(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new SealwrightError(exists ? "file_exists" : "key_file", { file: path, reason: "cannot be opened" }, error);
  }
}
