import { BoundedCache } from "../base/bounded-cache.ts";
import type { Clock } from "../base/clock.ts";

/** How long garbage is remembered, and how much of it. */
const memoryMs = 30_000;
const capacity = 10_000;

/**
 * Wrapped keys, by digest, that the key service has said are not its own: such an answer cannot change. No other failure is
 * ever remembered.
 */
export class RefusedWraps {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #until = new BoundedCache<number>(capacity);

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  has(digest: string): boolean {
    const until = this.#until.get(digest);
    return until !== undefined && this.#clock.monotonicMs() < until;
  }

  clear(): void {
    this.#until.clear();
  }

  add(digest: string): void {
    this.#until.set(digest, this.#clock.monotonicMs() + memoryMs);
  }
}
