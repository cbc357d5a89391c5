import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Where to look, and which process stalls if it answers late. */
export interface StallTarget {
  readonly port: number;
  readonly pid: number;
}

/**
 * Asks the admin listener over and over, from a thread of its own, and remembers the longest wait for an answer: the longest
 * stall of the event loop. Time in which the kernel let one of the two not run is no stall of theirs and is taken off.
 */
export class StallProbe {
  readonly #worker: Worker;

  constructor(target: StallTarget) {
    this.#worker = new Worker(new URL("stall-probe-worker.ts", import.meta.url), { workerData: target });
    this.#worker.unref();
  }

  /** Longest stall in milliseconds since the last call. */
  async longest(): Promise<number> {
    const answer = once(this.#worker, "message") as Promise<[number]>;
    this.#worker.postMessage("longest");
    return (await answer)[0];
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
