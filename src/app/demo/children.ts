import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";

import { SealwrightError } from "../../base/sealwright-error.ts";

const stopGraceMs = 5_000;

export interface ChildOrder {
  /** For messages. */
  readonly name: string;
  /** Arguments of this Node.js: a script and its own. */
  readonly args: readonly string[];
  /** File that takes its stderr, and its stdout unless `line` is given. */
  readonly log: string;
  /** Called for every line of its stdout. */
  readonly line?: (text: string) => void;
}

/** The demo's child processes. Whatever was started here is gone once this is disposed. */
export class Children implements AsyncDisposable {
  readonly #running = new Set<ChildProcess>();

  /** Starts a child; the promise ends with its exit code (-1 when a signal ended it). */
  start(order: ChildOrder): Promise<number> {
    const log = openSync(order.log, "a", 0o600);
    const child = spawn(process.execPath, order.args, {
      stdio: ["pipe", order.line === undefined ? log : "pipe", log],
      env: { PATH: process.env["PATH"] ?? "" },
    });
    closeSync(log);
    this.#running.add(child);
    if (child.stdout !== null && order.line !== undefined) createInterface(child.stdout).on("line", order.line);
    // The child may be gone before its stdin is closed here.
    child.stdin?.on("error", () => undefined);
    return new Promise((resolve, reject) => {
      child.once("exit", (code) => {
        this.#running.delete(child);
        resolve(code ?? -1);
      });
      child.once("error", (error) => {
        this.#running.delete(child);
        reject(new SealwrightError("demo_failed", { reason: `${order.name} did not start` }, error));
      });
    });
  }

  /** Runs one to its end. Throws `demo_failed` unless it exits 0. */
  async run(order: ChildOrder): Promise<void> {
    const code = await this.start(order);
    if (code !== 0) throw new SealwrightError("demo_failed", { reason: `${order.name} ended`, file: order.log });
  }

  /** SIGTERM for all, SIGKILL for those who stay. Ends when all have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((child) => stop(child)));
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), stopGraceMs);
  await exited;
  clearTimeout(killer);
}
