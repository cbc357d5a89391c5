import { open, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { SealwrightError } from "../base/sealwright-error.ts";

/** Who holds a lock: told in the lock file, so that one left behind by a dead process can be told from a live one. */
interface Holder {
  readonly host: string;
  readonly pid: number;
}

/**
 * Runs `task` while this process alone may change the keyring, by a lock file made with O_EXCL. A lock whose process, on this
 * host, is gone is taken over; one of another host never is. Throws `keyring_busy`.
 */
export async function withKeyringLock<T>(lockPath: string, task: () => Promise<T>): Promise<T> {
  if (!(await take(lockPath))) {
    await clearDeadLock(lockPath);
    if (!(await take(lockPath))) throw busy(lockPath);
  }
  try {
    return await task();
  } finally {
    await rm(lockPath, { force: true });
  }
}

async function take(lockPath: string): Promise<boolean> {
  const holder: Holder = { host: hostname(), pid: process.pid };
  try {
    const handle = await open(lockPath, "wx", 0o600);
    await handle.writeFile(JSON.stringify(holder));
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw new SealwrightError("file_unreadable", { file: lockPath, reason: "cannot be locked" }, error);
  }
}

async function clearDeadLock(lockPath: string): Promise<void> {
  const seen = await readHolder(lockPath);
  if (seen === undefined || !isDead(seen)) throw busy(lockPath);
  // Renamed first and looked at again: between reading and removing, another process may have taken the lock over.
  const aside = `${lockPath}.${process.pid}`;
  await rename(lockPath, aside).catch((error: unknown) => {
    throw busy(lockPath, error);
  });
  const moved = await readHolder(aside);
  if (moved?.pid !== seen.pid || moved.host !== seen.host) {
    await rename(aside, lockPath);
    throw busy(lockPath);
  }
  await rm(aside);
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return isHolder(value) ? value : undefined;
  } catch {
    // Gone, or not written yet: somebody is at work.
    return undefined;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null || !("host" in value) || !("pid" in value)) return false;
  return typeof value.host === "string" && typeof value.pid === "number";
}

function isDead({ host, pid }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function busy(file: string, cause?: unknown): SealwrightError {
  return new SealwrightError("keyring_busy", { file }, cause);
}
