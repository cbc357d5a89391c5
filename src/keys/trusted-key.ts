import type { SealwrightError } from "../base/sealwright-error.ts";
import type { DataKey } from "../crypto/data-key.ts";
import type { UsageCount } from "./usage/key-usage.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/** How long an unwrapped key is used without asking the key service again, milliseconds. */
export interface TrustTimes {
  readonly age: number;
  readonly outageBudget: number;
}

/** An unwrapped key that a load brings, held once. */
export interface UnwrappedKey {
  readonly dataKey: DataKey;
  readonly wrapped: WrappedKey;
  /** The KEK that gave it. */
  readonly kek: string;
}

/** What a key in memory stands on. `now`: monotonic milliseconds, as everywhere here. */
interface TrustSettings {
  readonly now: number;
  readonly times: TrustTimes;
  readonly usage: UsageCount;
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
  /** Where its use is counted. */
  readonly usage: UsageCount;
  #wrapped: WrappedKey;
  #kek: string;
  readonly #times: TrustTimes;
  readonly #ahead: number;
  #checkedAt: number;
  #failure: SealwrightError | undefined;
  #nextCheckAt = 0;

  /** Takes over the caller's hold of the data key. */
  constructor({ dataKey, wrapped, kek }: UnwrappedKey, { now, times, usage }: TrustSettings) {
    this.dataKey = dataKey;
    this.usage = usage;
    this.#wrapped = { ...wrapped, id: dataKey.id };
    this.#kek = kek;
    this.#times = times;
    this.#checkedAt = now;
    this.#ahead = times.age * ownCheckShare(dataKey.id);
  }

  get wrapped(): WrappedKey {
    return this.#wrapped;
  }

  /** The KEK that stood by the key last. */
  get kek(): string {
    return this.#kek;
  }

  trustAt(now: number): Trust {
    const age = now - this.#checkedAt;
    const outOfReach = this.#failure?.code === "kms_unavailable";
    const end = this.#times.age + (outOfReach ? this.#times.outageBudget : 0);
    if (age >= end) return "check first";
    return age >= this.#ahead && now >= this.#nextCheckAt ? "use and check" : "use";
  }

  /** Why no check is due although trust is over: one has just failed. */
  recentFailure(now: number): SealwrightError | undefined {
    return now < this.#nextCheckAt ? this.#failure : undefined;
  }

  /** Used on the outage budget now. */
  isOverdrawn(now: number): boolean {
    return now - this.#checkedAt >= this.#times.age && this.trustAt(now) !== "check first";
  }

  /** When its use ends if from now on nobody can reach the key service. */
  get darkAt(): number {
    return this.#checkedAt + this.#times.age + this.#times.outageBudget;
  }

  /** When the key service has to be asked about it, were it in reach. */
  get trustedUntil(): number {
    return this.#checkedAt + this.#times.age;
  }

  confirm(now: number, kek: string): void {
    this.#checkedAt = now;
    this.#kek = kek;
    this.#failure = undefined;
    this.#nextCheckAt = 0;
  }

  /** A check came to nothing. Nobody there is what the outage budget is for. */
  postpone(now: number, failure: SealwrightError): void {
    this.#failure = failure;
    this.#nextCheckAt = now + Math.min(longestPauseMs, this.#times.age * pauseShare);
  }

  /** Checks ask for the new wraps from now on: those that it came by may be gone. The key under them is the same. */
  adopt(wrapped: WrappedKey): void {
    this.#wrapped = { ...wrapped, id: this.dataKey.id };
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
