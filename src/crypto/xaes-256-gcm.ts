import { createCipheriv, type Cipheriv } from "node:crypto";
import { gcmNonceBytes, gcmOpen, gcmSeal, gcmTagBytes, type GcmKey } from "./aes-256-gcm.ts";
import type { BodyCipher } from "./body-cipher.ts";
import type { NonceSource } from "./random.ts";

/*
 * C2SP XAES-256-GCM (c2sp.org/XAES-256-GCM): AES-256-GCM under a key derived for each message, so that random nonces are safe
 * for 2^80 messages a key.
 *
 *   body = nonce N 24 | ciphertext | tag 16
 *
 *   L  = AES-256(K, 0^128)
 *   K1 = L << 1, xor 0x87 in the last byte where L's first bit was set    (CMAC subkey, NIST SP 800-38B section 6.1)
 *   Mi = 0x00 | i u8 | 0x58 | 0x00 | N[0..12]    for i = 1, 2              (SP 800-108 counter KDF, label "X")
 *   Kx = AES-256(K, M1 xor K1) | AES-256(K, M2 xor K1)
 *   Nx = N[12..24]
 */

const blockBytes = 16;
const contextBytes = 12;
const contextAt = blockBytes - contextBytes;
/** Nonce and tag. */
export const xaesNonceBytes = contextBytes + gcmNonceBytes;
export const xaesOverhead = xaesNonceBytes + gcmTagBytes;

/** The CMAC subkey K1 from L: L doubled in GF(2^128). */
export function doubled(block: Buffer): Buffer {
  const out = Buffer.alloc(blockBytes);
  for (let i = 0; i < blockBytes; i++) out[i] = ((block[i] ?? 0) << 1) | ((block[i + 1] ?? 0) >> 7);
  const carry = (block[0] ?? 0) >> 7;
  out[blockBytes - 1] = (out[blockBytes - 1] ?? 0) ^ (carry * 0x87);
  return out;
}

export class Xaes256Gcm implements BodyCipher {
  /**
   * One ECB object for the key's whole life: making a cipher costs three times as much as the two blocks it encrypts (see
   * BENCHMARKS.md). Only whole blocks made here go in, and ECB carries nothing from one to the next.
   */
  readonly #blocks: Cipheriv;
  readonly #nonces: NonceSource;
  /** Per counter i: 0x00 | i | 0x58 | 0x00 | zeroes, xor K1. */
  readonly #template: Buffer;
  /** The same with N[0..12] xored in; rewritten for every message. */
  readonly #input = Buffer.alloc(2 * blockBytes);

  /** `key` is not kept. */
  constructor(key: Buffer, nonces: NonceSource) {
    this.#blocks = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
    this.#nonces = nonces;
    const subkey = doubled(this.#blocks.update(Buffer.alloc(blockBytes)));
    this.#template = Buffer.concat([subkey, subkey]);
    subkey.fill(0);
    for (const counter of [1, 2]) {
      const at = (counter - 1) * blockBytes;
      this.#template[at + 1] = (this.#template[at + 1] ?? 0) ^ counter;
      this.#template[at + 2] = (this.#template[at + 2] ?? 0) ^ 0x58;
    }
  }

  seal(plaintext: Buffer, aad: Buffer): Buffer {
    const nonce = this.#nonces.next();
    const key = this.#messageKey(nonce);
    const { ciphertext, tag } = gcmSeal(key, plaintext, aad);
    key.key.fill(0);
    return Buffer.concat([nonce, ciphertext, tag]);
  }

  open(body: Buffer, aad: Buffer): Buffer | undefined {
    const key = this.#messageKey(body.subarray(0, xaesNonceBytes));
    const tagAt = body.length - gcmTagBytes;
    const message = { ciphertext: body.subarray(xaesNonceBytes, tagAt), tag: body.subarray(tagAt) };
    const plaintext = gcmOpen(key, message, aad);
    key.key.fill(0);
    return plaintext;
  }

  end(): void {
    // After final() the runtime frees the cipher's context, which wipes the key schedule.
    this.#blocks.final();
    this.#template.fill(0);
    this.#input.fill(0);
    this.#nonces.end();
  }

  #messageKey(nonce: Buffer): GcmKey {
    this.#template.copy(this.#input);
    for (let i = 0; i < contextBytes; i++) {
      const byte = nonce[i] ?? 0;
      const first = contextAt + i;
      const second = first + blockBytes;
      this.#input[first] = (this.#input[first] ?? 0) ^ byte;
      this.#input[second] = (this.#input[second] ?? 0) ^ byte;
    }
    return { key: this.#blocks.update(this.#input), nonce: nonce.subarray(contextBytes) };
  }
}
