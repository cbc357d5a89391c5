import { createCipheriv } from "node:crypto";
import { hex } from "./reference.ts";

/*
 * AES-GCM does not commit to its key: whoever knows two keys can make one ciphertext that has a right tag under both. This
 * makes such a text, so that tests show that a sealed value's key id is what stops it.
 *
 * A GCM tag is linear in the ciphertext blocks: tag = E(J0) + sum of block[i] * H^(n-i). With one block X left free (at power
 * p under either key), both tags are equal for X = (rest1 + rest2) / (H1^p + H2^p).
 */

const reduction = 0xe1n << 120n;

/** Product in GF(2^128) with GCM's bit order (NIST SP 800-38D section 6.3). */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let v = y;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= v;
    v = v & 1n ? (v >> 1n) ^ reduction : v >> 1n;
  }
  return product;
}

function power(x: bigint, exponent: bigint): bigint {
  let result = 1n << 127n;
  for (let base = x, left = exponent; left > 0n; left >>= 1n, base = multiply(base, base)) {
    if (left & 1n) result = multiply(result, base);
  }
  return result;
}

const inverse = (x: bigint): bigint => power(x, (1n << 128n) - 2n);

/** One of the two keys, with the AAD that goes with it. */
export interface TwoKeySide {
  readonly key: Buffer;
  readonly aad: Buffer;
}

export interface TwoKeyBody {
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/** A 32-byte ciphertext and its tag, right under both sides with the 12-byte `nonce`. */
export function twoKeyBody(nonce: Buffer, one: TwoKeySide, other: TwoKeySide): TwoKeyBody {
  const second = 0x5ea1edn;
  const [a, b] = [new Ghash(nonce, one), new Ghash(nonce, other)];
  const free = multiply(a.tag(0n, second) ^ b.tag(0n, second), inverse(a.weightOfFirst ^ b.weightOfFirst));
  const bytes = (n: bigint): Buffer => hex(n.toString(16).padStart(32, "0"));
  return { ciphertext: Buffer.concat([bytes(free), bytes(second)]), tag: bytes(a.tag(free, second)) };
}

class Ghash {
  readonly #h: bigint;
  readonly #mask: bigint;
  readonly #blocksOfAad: bigint[];
  readonly #lengths: bigint;

  constructor(nonce: Buffer, side: TwoKeySide) {
    const block = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString("hex").padEnd(32, "0")}`);
    const encrypt = (bytes: Buffer): bigint =>
      block(createCipheriv("aes-256-ecb", side.key, null).setAutoPadding(false).update(bytes));
    this.#h = encrypt(Buffer.alloc(16));
    this.#mask = encrypt(Buffer.concat([nonce, hex("00000001")]));
    this.#blocksOfAad = [];
    for (let at = 0; at < side.aad.length; at += 16) this.#blocksOfAad.push(block(side.aad.subarray(at, at + 16)));
    this.#lengths = (BigInt(side.aad.length * 8) << 64n) | BigInt(32 * 8);
  }

  /** What the first ciphertext block is multiplied with: two ciphertext blocks, then the lengths, follow. */
  get weightOfFirst(): bigint {
    return power(this.#h, 3n);
  }

  tag(first: bigint, second: bigint): bigint {
    const blocks = [...this.#blocksOfAad, first, second, this.#lengths];
    return blocks.reduce((sum, block) => multiply(sum ^ block, this.#h), 0n) ^ this.#mask;
  }
}
