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
 * of reach of the key service a closed key goes on, within the outage budget from the moment it closed: for age that is when
 * the age was reached, for values and bytes the last time that it was borrowed before, whenever somebody looks.
 */
export class SealingTerm {
  readonly #limits: SealingLimits;
  readonly #ending: SealingLimits;
  readonly #madeAt: number;
  #closedAt: number | undefined;
  #lookedAt: number;
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
    this.#lookedAt = now;
  }

  /** When its use ends if from now on nobody can reach the key service. */
  darkAt(outageBudget: number): number {
    return (this.#closedAt ?? this.#madeAt + this.#limits.age) + outageBudget;
  }

  stateOf(key: DataKey, now: number): TermState {
    const age = now - this.#madeAt;
    const limit = limitReached(this.#limits, key, age);
    if (limit !== undefined) {
      this.#closedAt ??= limit === "age" ? this.#madeAt + this.#limits.age : this.#lookedAt;
      return "closed";
    }
    this.#lookedAt = now;
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
