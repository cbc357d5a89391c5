import { createCipheriv, createDecipheriv, type CipherGCM, type DecipherGCM } from "node:crypto";
import type { BodyCipher } from "./body-cipher.ts";

/*
 * AES-256-SIV, deterministic (RFC 5297; the key's halves are K1 for S2V and K2 for CTR, 32 bytes each):
 *
 *   body = synthetic IV 16 | ciphertext
 *   synthetic IV = S2V(K1, AAD, plaintext)    the AAD is one component
 */

/** The synthetic IV. */
export const sivOverhead = 16;

export class Aes256Siv implements BodyCipher {
  readonly #key: Buffer;

  /** `key`: 64 bytes, copied. */
  constructor(key: Buffer) {
    this.#key = Buffer.from(key);
  }

  seal(plaintext: Buffer, aad: Buffer): Buffer {
    // The runtime's types know this mode only as a cipher without AAD; the object has the whole AEAD interface.
    const cipher = createCipheriv("aes-256-siv", this.#key, null) as CipherGCM;
    cipher.setAAD(aad);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return Buffer.concat([cipher.getAuthTag(), ciphertext]);
  }

  open(body: Buffer, aad: Buffer): Buffer | undefined {
    const decipher = createDecipheriv("aes-256-siv", this.#key, null) as DecipherGCM;
    decipher.setAuthTag(body.subarray(0, sivOverhead));
    decipher.setAAD(aad);
    try {
      const plaintext = decipher.update(body.subarray(sivOverhead));
      decipher.final();
      return plaintext;
    } catch {
      return undefined;
    }
  }

  end(): void {
    this.#key.fill(0);
  }
}
