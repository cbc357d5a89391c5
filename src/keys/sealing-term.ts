import type { DataKey } from "../crypto/data-key.ts";
import type { SealingLimits } from "./keys-config.ts";

/** Where a key stands in its term: sealing, to be replaced in the background, or to be replaced before the next borrower. */
export type TermState = "open" | "closing" | "closed";

/** A new key is sought in the background from this share of any limit on. */
export const closingShare = 0.8;
/** Between two attempts to replace a key, milliseconds. */
const pauseMs = 1000;

/** Which limit a key has reached, `undefined` = none. `ageMs`: since it was made. */
export function limitReached(limits: SealingLimits, key: DataKey, ageMs: number): keyof SealingLimits | undefined {
  if (ageMs >= limits.age) return "age";
  if (key.sealedValues >= limits.values) return "values";
  return key.sealedBytes >= limits.bytes ? "bytes" : undefined;
}

/**
 * How long one key may seal. Limits are looked at when a key is borrowed: a message under way finishes with the key it has. Out
 * of reach of the key service a closed key goes on, within the outage budget from the moment it closed.
 */
export class SealingTerm {
  readonly #limits: SealingLimits;
  readonly #ending: SealingLimits;
  readonly #madeAt: number;
  #closedAt: number | undefined;
  #nextTryAt = 0;
  #outOfReach = false;

  constructor(limits: SealingLimits, now: number) {
    this.#limits = limits;
    this.#ending = {
      age: limits.age * closingShare,
      values: limits.values * closingShare,
      bytes: limits.bytes * closingShare,
    };
    this.#madeAt = now;
  }

  stateOf(key: DataKey, now: number): TermState {
    const age = now - this.#madeAt;
    if (limitReached(this.#limits, key, age) !== undefined) {
      this.#closedAt ??= now;
      return "closed";
    }
    return limitReached(this.#ending, key, age) === undefined ? "open" : "closing";
  }

  mayTry(now: number): boolean {
    return now >= this.#nextTryAt;
  }

  /** Nobody could be reached for a new key, and the budget for that is not used up. */
  isCovered(now: number, outageBudget: number): boolean {
    return this.#outOfReach && this.#closedAt !== undefined && now < this.#closedAt + outageBudget;
  }

  /** An attempt to replace the key came to nothing. */
  postpone(now: number, outOfReach: boolean): void {
    this.#outOfReach = outOfReach;
    this.#nextTryAt = now + pauseMs;
  }
}
