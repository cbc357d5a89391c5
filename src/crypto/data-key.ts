import { SealwrightError } from "../base/sealwright-error.ts";
import { additionalData, isBindable } from "./binding.ts";
import type { BodyCipher } from "./body-cipher.ts";
import { canonicalString } from "./canonical-string.ts";
import { equalBytes } from "./constant-time.ts";
import { dataKeyBytes, deriveKey, keyIdOf, shortIdBytes } from "./key-derivation.ts";
import { padText, trimPadding } from "./padding.ts";
import { NoncePool, type NonceSource } from "./random.ts";
import { formatSealedValue, formByte } from "./sealed-value.ts";
import { suiteTable } from "./suites.ts";
import type { Binding, KeyReference, SealedValue, Sealing, Suite } from "./types.ts";

/**
 * A data key in memory: it lends sealing and opening and never shows its bytes. It lives as long as somebody holds it: who
 * makes it holds it once, `retain` holds it once more, and with the last `release` all its bytes are zeroed; whatever is
 * called afterwards throws `key_ended`.
 */
export class DataKey {
  /** All 32 bytes of the key's id. */
  readonly id: Buffer;
  /** Its first 16 bytes, as the keyring form writes them. */
  readonly shortId: Buffer;
  readonly #secret: Buffer;
  readonly #ciphers = new Map<Suite, BodyCipher>();
  readonly #nonces: NonceSource | undefined;
  #holders = 1;
  #sealedValues = 0;
  #sealedBytes = 0;

  private constructor(secret: Buffer, nonces: NonceSource | undefined) {
    this.#secret = secret;
    this.#nonces = nonces;
    this.id = keyIdOf(secret);
    this.shortId = this.id.subarray(0, shortIdBytes);
  }

  /**
   * Takes a 32-byte data key over: the bytes are copied and `bytes` is zeroed, whatever happens. `nonces` serves this key
   * only; absent = the system's generator. Throws `kms_broken` for another length.
   */
  static fromBytes(bytes: Buffer, nonces?: NonceSource): DataKey {
    // Not from the shared pool of small buffers, so that zeroing covers all there ever was.
    const secret = Buffer.alloc(bytes.length);
    bytes.copy(secret);
    bytes.fill(0);
    if (secret.length === dataKeyBytes) return new DataKey(secret, nonces);
    secret.fill(0);
    throw new SealwrightError("kms_broken", { reason: "data key length" });
  }

  /** Values sealed so far, and bytes of plaintext in them, padding included: what `sealing.values` and `.bytes` limit. */
  get sealedValues(): number {
    return this.#sealedValues;
  }

  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  /** True when `reference` names this key. Takes as long wherever the ids differ. */
  matches(reference: KeyReference): boolean {
    return reference.form === "keyring"
      ? equalBytes(reference.shortId, this.shortId)
      : equalBytes(reference.id, this.id);
  }

  /**
   * The text of a sealed value whose key part is `reference`. Suite 2 seals JSON text in its RFC 8785 form, however spelled.
   * Throws `key_ended`; `record_invalid` for an empty record; `field_type`, `lone_surrogate` and the json_* codes for JSON
   * text under suite 2 that is no string; `internal` for what only a defect can ask for.
   */
  seal(sealing: Sealing, reference: KeyReference): string {
    const { suite, rawBytes, binding } = sealing;
    const cipher = this.#cipher(suite);
    if (!this.matches(reference)) throw new SealwrightError("internal", { reason: "reference to another key" });
    checkRecord(suite, binding.record);
    const plaintext = prepared(sealing);
    const head = { suite, recordBound: binding.record !== undefined, rawBytes, key: reference };
    const aad = additionalData({ suite, form: formByte(head), keyId: this.id }, binding);
    const text = formatSealedValue({ ...head, body: cipher.seal(plaintext, aad) });
    this.#sealedValues += 1;
    this.#sealedBytes += plaintext.length;
    return text;
  }

  /**
   * The plaintext: JSON text without the spaces at its end, or raw bytes as they were. Whether the record is bound is the
   * value's to say: a bound value needs `binding.record`, an unbound one takes no notice of it.
   * Throws `key_ended`; `open_failed` for everything else, the reason in its facts.
   */
  open(value: SealedValue, binding: Binding): Buffer {
    const cipher = this.#cipher(value.suite);
    if (!this.matches(value.key)) throw openFailed("key id");
    if (value.recordBound && (binding.record ?? "") === "") throw openFailed("record unknown");
    if (value.recordBound && suiteTable[value.suite].deterministic) throw openFailed("record under suite 2");
    if (value.body.length < suiteTable[value.suite].overhead) throw openFailed("body too short");
    const bound = value.recordBound ? binding : { ...binding, record: undefined };
    if (!isBindable(bound)) throw openFailed("binding");
    const aad = additionalData({ suite: value.suite, form: formByte(value), keyId: this.id }, bound);
    const plaintext = cipher.open(value.body, aad);
    if (plaintext === undefined) throw openFailed("tag");
    return value.rawBytes ? plaintext : trimmed(plaintext);
  }

  /** Holds the key once more. Throws `key_ended`. */
  retain(): this {
    this.#assertLive();
    this.#holders += 1;
    return this;
  }

  /** Gives one hold back; the last one ends the key. Throws `key_ended` when there is none left. */
  release(): void {
    this.#assertLive();
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#secret.fill(0);
    for (const cipher of this.#ciphers.values()) cipher.end();
    this.#ciphers.clear();
  }

  #cipher(suite: Suite): BodyCipher {
    this.#assertLive();
    const known = this.#ciphers.get(suite);
    if (known !== undefined) return known;
    const row = suiteTable[suite];
    const key = deriveKey(this.#secret, row.label, row.keyBytes);
    const cipher = row.cipher(key, this.#nonces ?? new NoncePool());
    key.fill(0);
    this.#ciphers.set(suite, cipher);
    return cipher;
  }

  #assertLive(): void {
    if (this.#holders === 0) throw new SealwrightError("key_ended", { keyId: this.id.toString("hex", 0, 8) });
  }
}

function checkRecord(suite: Suite, record: string | undefined): void {
  if (record === undefined) return;
  if (suiteTable[suite].deterministic) throw new SealwrightError("internal", { reason: "record under suite 2" });
  if (record === "" || !record.isWellFormed()) throw new SealwrightError("record_invalid");
}

/** The bytes that go into the cipher. */
function prepared(sealing: Sealing): Buffer {
  const { plaintext, rawBytes, pad } = sealing;
  if (rawBytes) {
    if (pad !== undefined) throw new SealwrightError("internal", { reason: "pad on raw bytes" });
    return plaintext;
  }
  if (plaintext.length === 0) throw new SealwrightError("internal", { reason: "empty JSON text" });
  const text = suiteTable[sealing.suite].deterministic ? canonicalString(plaintext) : plaintext;
  return pad === undefined ? text : padText(text, pad);
}

/** JSON text is never empty: putting nothing in a value's place would break the document around it. */
function trimmed(plaintext: Buffer): Buffer {
  const text = trimPadding(plaintext);
  if (text.length === 0) throw openFailed("empty JSON text");
  return text;
}

function openFailed(reason: string): SealwrightError {
  return new SealwrightError("open_failed", { reason });
}
