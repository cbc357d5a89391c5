import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { placeNewFile } from "../atomic-file.ts";
import { hasEnded, type ProcessName } from "./process-name.ts";

/** A lock of a lock of a lock: so deep nobody gets who was not killed in the same instant time and again. */
const deepest = 4;

const holderSchema = z.strictObject({
  host: z.string().max(255),
  realm: z.string().max(255),
  pid: z.int().min(1),
  started: z.string().max(32),
});

/**
 * Runs `task` while `me` alone may change the keyring, by a lock file that appears with its holder's name in it or not at all.
 * A lock whose process has ended is taken over; one of a process that cannot be seen from here never is. Throws `keyring_busy`.
 */
export async function withKeyringLock<T>(path: string, me: ProcessName, task: () => Promise<T>): Promise<T> {
  return withLock({ path, me, depth: 0 }, async () => {
    await removeLeftovers(path);
    return task();
  });
}

interface Lock {
  readonly path: string;
  readonly me: ProcessName;
  readonly depth: number;
}

async function withLock<T>(lock: Lock, task: () => Promise<T>): Promise<T> {
  if (!(await take(lock))) {
    await clearIfDead(lock);
    if (!(await take(lock))) throw busy(lock.path);
  }
  try {
    return await task();
  } finally {
    // What was done is done. A lock that stays is one of a process that has ended, as soon as this one has.
    await rm(lock.path, { force: true }).catch(() => undefined);
  }
}

async function take({ path, me }: Lock): Promise<boolean> {
  try {
    return await placeNewFile(path, JSON.stringify(me));
  } catch (error) {
    // Swept by whoever holds the lock.
    if (isAbsent(error)) return false;
    throw unlockable(path, error);
  }
}

/**
 * Removing is safe only while nobody else removes, or the second of two would remove the lock that the first has taken since.
 * So the right to remove is a lock of its own.
 */
async function clearIfDead(lock: Lock): Promise<void> {
  const { path, me, depth } = lock;
  const state = await stateOf(path);
  if (state === "held") throw busy(path);
  if (state === "absent") return;
  if (depth === deepest) throw busy(path, "left behind by a dead process");
  await withLock({ path: `${path}+`, me, depth: depth + 1 }, async () => {
    // Not where there is none: somebody may have taken it since, and what is removed would be theirs.
    if ((await stateOf(path)) === "dead") await removed(path);
  });
}

/** Throws `keyring_busy` for what names no holder. */
async function stateOf(path: string): Promise<"absent" | "dead" | "held"> {
  const text = await readIfThere(path);
  if (text === undefined) return "absent";
  return (await hasEnded(holderOf(text, path))) ? "dead" : "held";
}

function holderOf(text: string, path: string): ProcessName {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    throw busy(path, "the lock names no holder: remove it if no command is running");
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}

/** Locks that were about to be placed. Whoever loses one that way is told that the keyring is busy, which it is. */
async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const begin = `.${basename(path)}`;
  const names = await readdir(folder).catch((error: unknown) => {
    throw unlockable(path, error);
  });
  for (const name of names) if (name.startsWith(begin) && name.endsWith(".tmp")) await removed(join(folder, name));
}

async function removed(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw unlockable(path, error);
  }
}

function unlockable(file: string, error: unknown): SealwrightError {
  return new SealwrightError("file_unreadable", { file, reason: "cannot be locked" }, error);
}

function busy(file: string, reason = "if no command is running on any host, remove this file"): SealwrightError {
  return new SealwrightError("keyring_busy", { file, reason });
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
