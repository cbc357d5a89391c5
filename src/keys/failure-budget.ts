import { BoundedCache } from "../base/bounded-cache.ts";
import type { Clock } from "../base/clock.ts";
import type { Metrics } from "../base/metrics.ts";
import { hasCode, SealwrightError } from "../base/sealwright-error.ts";

/** Failed calls that each holder may cause: this many at once, and as many again every second. */
const failuresPerSecond = 20;
const burst = 20;

/** Holders remembered; whoever is pushed out begins anew. */
const holders = 10_000;

interface Bucket {
  tokens: number;
  filledAt: number;
  /** Calls under way: each may yet fail, so each has a token set aside. */
  flying: number;
  waiting: (() => void)[];
}

/**
 * Bounds how many failing calls to the key service one holder (a tenant, or one key) can cause, whoever else calls. Calls that
 * succeed or find the service out of reach cost nothing. Beyond what could still fail, calls wait for those under way; only
 * spent failures refuse: a burst of good keys is slowed down to 20 at a time, never turned away.
 */
export class FailureBudget {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #metrics: Metrics;
  readonly #buckets = new BoundedCache<Bucket>(holders);

  constructor({ clock, metrics }: { readonly clock: Pick<Clock, "monotonicMs">; readonly metrics: Metrics }) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Runs `task` on `holder`'s budget. Throws `kms_limited` when it is spent, else what `task` throws. */
  async run<T>(holder: string, task: () => Promise<T>): Promise<T> {
    const bucket = this.#bucketOf(holder);
    while (!this.#isAdmitted(bucket)) await new Promise<void>((wake) => void bucket.waiting.push(wake));
    bucket.flying += 1;
    try {
      return await task();
    } catch (error) {
      if (!hasCode(error, "kms_unavailable")) bucket.tokens = Math.max(0, bucket.tokens - 1);
      throw error;
    } finally {
      bucket.flying -= 1;
      const woken = bucket.waiting;
      bucket.waiting = [];
      for (const wake of woken) wake();
    }
  }

  #isAdmitted(bucket: Bucket): boolean {
    const now = this.#clock.monotonicMs();
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * failuresPerSecond);
    bucket.filledAt = now;
    if (bucket.tokens < 1) {
      this.#metrics.count("sealwright_key_budget_refusals_total", { limit: "failed_calls" });
      throw new SealwrightError("kms_limited", { reason: "failed calls" });
    }
    return bucket.tokens - bucket.flying >= 1;
  }

  #bucketOf(holder: string): Bucket {
    const known = this.#buckets.get(holder);
    if (known !== undefined) return known;
    const bucket: Bucket = { tokens: burst, filledAt: this.#clock.monotonicMs(), flying: 0, waiting: [] };
    this.#buckets.set(holder, bucket);
    return bucket;
  }
}
