import { SealwrightError } from "../base/sealwright-error.ts";
import type { DataKey } from "../crypto/data-key.ts";
import type { Binding, KeyReference, SealedValue, Sealing } from "../crypto/types.ts";
import { openFailed } from "./key-errors.ts";
import type { KeyUsage } from "./usage/key-usage.ts";
import type { OpeningKey, SealingKey } from "./keys.ts";
import type { TrustedKey } from "./trusted-key.ts";

/** One borrower's hold: over after its `release`, whoever else holds the key. What it did is counted then, all at once. */
abstract class LentKey {
  readonly #key: TrustedKey;
  #over = false;
  protected values = 0;

  /** Takes the caller's hold of `key` over. */
  constructor(key: TrustedKey) {
    this.#key = key;
  }

  protected get key(): DataKey {
    if (this.#over) throw new SealwrightError("key_ended", { keyId: this.#key.dataKey.id.toString("hex", 0, 8) });
    return this.#key.dataKey;
  }

  /** A second call does nothing: it must not take away another borrower's hold. */
  release(): void {
    if (this.#over) return;
    this.#over = true;
    this.count(this.#key);
    this.#key.release();
  }

  protected abstract count(key: TrustedKey): void;
}

export class LentSealingKey extends LentKey implements SealingKey {
  readonly reference: KeyReference;
  readonly standsIn: boolean;
  readonly #usage: KeyUsage;

  constructor(key: TrustedKey, reference: KeyReference, usage: KeyUsage, standsIn = false) {
    super(key);
    this.reference = reference;
    this.standsIn = standsIn;
    this.#usage = usage;
  }

  seal(sealing: Sealing): string {
    const text = this.key.seal(sealing, this.reference);
    this.values += 1;
    return text;
  }

  protected override count({ usage }: TrustedKey): void {
    this.#usage.sealed(usage, this.values);
  }
}

export class LentOpeningKey extends LentKey implements OpeningKey {
  readonly #usage: KeyUsage;

  constructor(key: TrustedKey, usage: KeyUsage) {
    super(key);
    this.#usage = usage;
  }

  open(value: SealedValue, binding: Binding): Buffer {
    const plaintext = this.key.open(value, binding);
    this.values += 1;
    return plaintext;
  }

  protected override count({ usage }: TrustedKey): void {
    this.#usage.opened(usage, this.values);
  }
}

/** Lends `key` for opening if it is the one that `reference` names; compared on every use. Throws `open_failed`. */
export function lendForOpening(key: TrustedKey, reference: KeyReference, usage: KeyUsage): OpeningKey {
  if (key.dataKey.matches(reference)) return new LentOpeningKey(key, usage);
  key.release();
  throw openFailed("key id");
}
