import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/**
 * What tells one process from every other one that may ever use the same files. A process id alone is given again, in a
 * container always as 1: the time of its start tells them apart, and the id of its namespace says who can see it at all.
 */
export interface ProcessName {
  readonly host: string;
  /** Boot of the host and pid namespace; empty where the system does not tell. */
  readonly realm: string;
  readonly pid: number;
  /** Clock ticks since boot at which it started; empty where the system does not tell. */
  readonly started: string;
}

export async function thisProcess(): Promise<ProcessName> {
  return { host: hostname(), realm: await thisRealm(), pid: process.pid, started: await startOf(process.pid) };
}

/** True only when that process is known to have ended: it would be seen from here, and is not, or its id is another's now. */
export async function hasEnded({ host, realm, pid, started }: ProcessName): Promise<boolean> {
  if (host !== hostname() || realm !== (await thisRealm())) return false;
  if (!isRunning(pid)) return true;
  const now = await startOf(pid);
  return now !== "" && started !== "" && now !== started;
}

async function thisRealm(): Promise<string> {
  const [boot, space] = await Promise.all([
    orEmpty(readFile("/proc/sys/kernel/random/boot_id", "utf8")),
    orEmpty(readlink("/proc/self/ns/pid")),
  ]);
  return [boot.trim(), space].join(" ").trim();
}

async function startOf(pid: number): Promise<string> {
  const text = await orEmpty(readFile(`/proc/${pid}/stat`, "utf8"));
  // proc_pid_stat(5): field 22. The name of the command, in parentheses, may hold anything.
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

async function orEmpty(work: Promise<string>): Promise<string> {
  try {
    return await work;
  } catch {
    return "";
  }
}
