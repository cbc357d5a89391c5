import { SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference } from "../crypto/types.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "../keys/keys.ts";

interface Lent {
  release(): void;
}

/** The data keys that one message has borrowed: each asked for once, all given back by `releaseAll`. */
export class BorrowedKeys {
  readonly #keys: Keys;
  readonly #limit: number;
  readonly #sealers = new Map<KeyUse, SealingKey>();
  readonly #openers = new Map<string, OpeningKey>();
  #closed = false;

  /** `limit`: distinct keys that the message's values may name; one more is `open_failed`. */
  constructor(keys: Keys, limit: number) {
    this.#keys = keys;
    this.#limit = limit;
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
    if (this.#openers.size >= this.#limit)
      throw new SealwrightError("open_failed", { reason: "too many keys in one message" });
    return this.#keep(this.#openers, name, this.#keys.opener(reference, scope));
  }

  releaseAll(): void {
    this.#closed = true;
    for (const key of [...this.#sealers.values(), ...this.#openers.values()]) key.release();
    this.#sealers.clear();
    this.#openers.clear();
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
