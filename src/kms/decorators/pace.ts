import type { Clock } from "../../base/clock.ts";

/** How many calls a key service is asked for: `burst` at once, `perSecond` in the long run. */
export interface KmsRate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A token bucket that gives out turns: each caller learns how long it has to wait for its own, in the order in which they ask.
 * Kept as the time at which the next turn is free, so that nothing has to be refilled.
 */
export class Pace {
  readonly #intervalMs: number;
  readonly #headStartMs: number;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor({ perSecond, burst }: KmsRate, clock: Pick<Clock, "monotonicMs">) {
    this.#intervalMs = 1000 / perSecond;
    this.#headStartMs = (burst - 1) * this.#intervalMs;
    this.#clock = clock;
  }

  /** Takes the next turn: milliseconds until it comes. `undefined`, and no turn is taken, when that is beyond `longestMs`. */
  take(longestMs: number): number | undefined {
    const now = this.#clock.monotonicMs();
    const turnAt = Math.max(this.#nextAt, now - this.#headStartMs);
    const waitMs = Math.max(0, turnAt - now);
    if (waitMs > longestMs) return undefined;
    this.#nextAt = turnAt + this.#intervalMs;
    return waitMs;
  }

  /** Time between two turns in the long run, milliseconds. */
  get intervalMs(): number {
    return this.#intervalMs;
  }
}
