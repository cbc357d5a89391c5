import type { Metrics } from "../base/metrics.ts";
import { hasCode, SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference } from "../crypto/types.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "../keys/keys.ts";

interface Lent {
  release(): void;
}

interface BorrowingLimits {
  /** Distinct keys that the message's values may name, whatever comes of them; one more is `open_failed`. */
  readonly keysPerMessage: number;
}

/** The data keys that one message has borrowed: each asked for once, all given back by `releaseAll`. */
export class BorrowedKeys {
  readonly #keys: Keys;
  readonly #limits: BorrowingLimits;
  readonly #metrics: Metrics;
  readonly #sealers = new Map<KeyUse, SealingKey>();
  readonly #openers = new Map<string, OpeningKey>();
  /** Keys that cannot be had, where that will not change within the message. Most messages meet none. */
  #refused: Map<string, SealwrightError> | undefined;
  /** Keys that were asked for, whatever came of it. */
  #asked = 0;
  #closed = false;

  /** `keys`: as they stand when the message begins. */
  constructor(keys: Keys, limits: BorrowingLimits, metrics: Metrics) {
    this.#keys = keys;
    this.#limits = limits;
    this.#metrics = metrics;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    const known = this.#sealers.get(use);
    if (known !== undefined) return known;
    return this.#keep(this.#sealers, use, this.#keys.sealer(scope, use));
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    // The wrapped key is part of the name: a key id alone would let one value's wrap speak for another's.
    const name =
      reference.form === "keyring"
        ? `${scope.dataset}|${reference.shortId.toString("latin1")}`
        : `${scope.dataset}|${reference.kek}|${reference.id.toString("latin1")}${reference.wrapped.toString("latin1")}`;
    const known = this.#openers.get(name);
    if (known !== undefined) return known;
    this.#name(name);
    try {
      const answer = this.#keys.opener(reference, scope);
      if (!(answer instanceof Promise)) return this.#keep(this.#openers, name, answer);
      return this.#keep(
        this.#openers,
        name,
        answer.catch((error: unknown) => this.#fail(name, error)),
      );
    } catch (error) {
      return this.#fail(name, error);
    }
  }

  releaseAll(): void {
    this.#closed = true;
    for (const key of [...this.#sealers.values(), ...this.#openers.values()]) key.release();
    this.#sealers.clear();
    this.#openers.clear();
  }

  /** Counts a key when it is asked for: keys that cannot be had cost the key service as much as others. */
  #name(name: string): void {
    const refusal = this.#refused?.get(name);
    if (refusal !== undefined) throw refusal;
    if (this.#asked >= this.#limits.keysPerMessage) {
      this.#metrics.count("sealwright_key_budget_refusals_total", { limit: "keys_per_message" });
      throw new SealwrightError("open_failed", { reason: "too many keys in one message" });
    }
    this.#asked += 1;
  }

  #fail(name: string, error: unknown): never {
    if (hasCode(error, "open_failed")) (this.#refused ??= new Map()).set(name, error);
    throw error;
  }

  #keep<N, K extends Lent>(lent: Map<N, K>, name: N, answer: K | Promise<K>): K | Promise<K> {
    const keep = (key: K): K => {
      if (this.#closed) {
        key.release();
        throw new SealwrightError("client_gone", { reason: "message ended while its key was fetched" });
      }
      lent.set(name, key);
      return key;
    };
    return answer instanceof Promise ? answer.then(keep) : keep(answer);
  }
}
