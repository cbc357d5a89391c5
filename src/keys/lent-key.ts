import { SealwrightError } from "../base/sealwright-error.ts";
import type { DataKey } from "../crypto/data-key.ts";
import type { Binding, KeyReference, SealedValue, Sealing } from "../crypto/types.ts";
import { openFailed } from "./key-errors.ts";
import type { OpeningKey, SealingKey } from "./keys.ts";

/** One borrower's hold: over after its `release`, whoever else holds the key. */
abstract class LentKey {
  readonly #key: DataKey;
  #over = false;

  constructor(key: DataKey) {
    this.#key = key;
  }

  protected get key(): DataKey {
    if (this.#over) throw new SealwrightError("key_ended", { keyId: this.#key.id.toString("hex", 0, 8) });
    return this.#key;
  }

  /** A second call does nothing: it must not take away another borrower's hold. */
  release(): void {
    if (this.#over) return;
    this.#over = true;
    this.#key.release();
  }
}

export class LentSealingKey extends LentKey implements SealingKey {
  readonly #reference: KeyReference;

  /** Takes the caller's hold of `key` over. */
  constructor(key: DataKey, reference: KeyReference) {
    super(key);
    this.#reference = reference;
  }

  seal(sealing: Sealing): string {
    return this.key.seal(sealing, this.#reference);
  }
}

export class LentOpeningKey extends LentKey implements OpeningKey {
  open(value: SealedValue, binding: Binding): Buffer {
    return this.key.open(value, binding);
  }
}

/** Lends `key` for opening if it is the one that `reference` names; compared on every use. Throws `open_failed`. */
export function lendForOpening(key: DataKey, reference: KeyReference): OpeningKey {
  if (key.matches(reference)) return new LentOpeningKey(key);
  key.release();
  throw openFailed("key id");
}
