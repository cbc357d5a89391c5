import type { DataKey } from "../crypto/data-key.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/** How long an unwrapped key is used without asking the key service again, milliseconds. */
export interface TrustTimes {
  readonly age: number;
  readonly outageBudget: number;
}

/** Whether a key may be used now, and whether the key service should be asked meanwhile or first. */
export type Trust = "use" | "use and check" | "check first";

/** A check ahead of trust's end begins after this share of `age`: each key's own, between the two. */
const earliestCheckShare = 0.7;
const latestCheckShare = 0.9;
export const meanCheckShare = (earliestCheckShare + latestCheckShare) / 2;

/** A failed check is repeated after this much of `age`, at most `longestPauseMs`. */
const pauseShare = 0.05;
const longestPauseMs = 5000;

/**
 * An unwrapped key and when the key service last stood by it. Trust lasts `age`; the check ahead of its end begins after 70 to
 * 90 % of it, spread by the key's id so that keys that came together are not checked together. `outageBudget` is added only
 * once a check has found the service out of reach.
 */
export class TrustedKey {
  readonly dataKey: DataKey;
  readonly wrapped: WrappedKey;
  readonly #times: TrustTimes;
  readonly #ahead: number;
  #checkedAt: number;
  #outOfReach = false;
  #nextCheckAt = 0;

  /** Takes over the caller's hold of `dataKey`. `now`: monotonic milliseconds, as everywhere here. */
  constructor(dataKey: DataKey, wrapped: WrappedKey, since: { readonly now: number; readonly times: TrustTimes }) {
    this.dataKey = dataKey;
    this.wrapped = { ...wrapped, id: dataKey.id };
    this.#times = since.times;
    this.#checkedAt = since.now;
    this.#ahead = since.times.age * ownCheckShare(dataKey.id);
  }

  trustAt(now: number): Trust {
    const age = now - this.#checkedAt;
    const end = this.#times.age + (this.#outOfReach ? this.#times.outageBudget : 0);
    if (age >= end) return "check first";
    return age >= this.#ahead && now >= this.#nextCheckAt ? "use and check" : "use";
  }

  /** Used on the outage budget now. */
  isOverdrawn(now: number): boolean {
    return now - this.#checkedAt >= this.#times.age && this.trustAt(now) !== "check first";
  }

  confirm(now: number): void {
    this.#checkedAt = now;
    this.#outOfReach = false;
    this.#nextCheckAt = 0;
  }

  /** A check came to nothing. `outOfReach`: nobody answered, which is what the outage budget is for. */
  postpone(now: number, outOfReach: boolean): void {
    this.#outOfReach = outOfReach;
    this.#nextCheckAt = now + Math.min(longestPauseMs, this.#times.age * pauseShare);
  }

  retain(): this {
    this.dataKey.retain();
    return this;
  }

  release(): void {
    this.dataKey.release();
  }
}

function ownCheckShare(id: Buffer): number {
  return earliestCheckShare + (latestCheckShare - earliestCheckShare) * ((id[0] ?? 0) / 256);
}
