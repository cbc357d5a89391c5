import type { Clock } from "../../base/clock.ts";
import { hasCode } from "../../base/sealwright-error.ts";
import { pause } from "../../kms/decorators/pause.ts";

/** How long work at the key service is done: by a command, which waits where a sidecar would refuse. */
export interface Labour {
  /** Calls under way at once. */
  readonly parallel: number;
  readonly clock: Pick<Clock, "monotonicMs" | "after">;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
  /** Told after every piece, and while the work waits for the key service. */
  readonly progress: (done: number, total: number, waiting: boolean) => void;
}

/** Pauses while the key service is out of reach or throttles: from the first, doubled up to the second; milliseconds. */
const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** Without any answer for this long the work gives up. */
const patienceMs = 120_000;

/**
 * Does `work` for each item, some at a time; answers in the order of the items. What fails with `kms_unavailable` is done again
 * after a pause, until nothing has been answered for two minutes; any other failure ends it, once what is under way has ended.
 */
export async function laboured<I, O>(
  items: readonly I[],
  work: (item: I) => Promise<O>,
  labour: Labour,
): Promise<readonly O[]> {
  const run = new LabourRun(labour, items.length);
  const results = new Array<O>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (run.hasFailed) return;
      results[index] = await run.patiently(() => work(item));
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: labour.parallel }, worker));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results;
}

class LabourRun {
  readonly #labour: Labour;
  readonly #total: number;
  #done = 0;
  #answeredAt: number;
  #failed = false;

  constructor(labour: Labour, total: number) {
    this.#labour = labour;
    this.#total = total;
    this.#answeredAt = labour.clock.monotonicMs();
  }

  get hasFailed(): boolean {
    return this.#failed;
  }

  async patiently<O>(work: () => Promise<O>): Promise<O> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await work();
        this.#answeredAt = this.#labour.clock.monotonicMs();
        this.#done += 1;
        this.#labour.progress(this.#done, this.#total, false);
        return result;
      } catch (error) {
        const silentMs = this.#labour.clock.monotonicMs() - this.#answeredAt;
        if (this.#failed || !hasCode(error, "kms_unavailable") || silentMs > patienceMs) {
          this.#failed = true;
          throw error;
        }
        this.#labour.progress(this.#done, this.#total, true);
        await paused(attempt, this.#labour);
      }
    }
  }
}

/** A pause that grows with the attempts (from 0), with jitter. */
export async function paused(attempt: number, { clock, random }: Pick<Labour, "clock" | "random">): Promise<void> {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
  const ms = longest * (0.5 + 0.5 * random());
  await pause(ms, clock);
}
