import { randomFillSync } from "node:crypto";

/** Port: where randomised suites get their nonces. */
export interface NonceSource {
  /** 24 bytes nobody has had before; the caller's own from then on. */
  next(): Buffer;
  /** Zeroes what is left. Called once, when the key ends. */
  end(): void;
}

const nonceBytes = 24;
const noncesPerRefill = 32;

/**
 * Nonces from the system's generator, fetched 32 at a time: one call each would cost a fifth of a seal. Every nonce leaves
 * as a copy and its place is zeroed, so none can be given twice. One pool belongs to one data key.
 */
export class NoncePool implements NonceSource {
  /** Empty until the first nonce: most keys only open. */
  #pool = Buffer.alloc(0);
  #used = 0;

  next(): Buffer {
    if (this.#used === this.#pool.length) {
      if (this.#used === 0) this.#pool = Buffer.alloc(nonceBytes * noncesPerRefill);
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const place = this.#pool.subarray(this.#used, this.#used + nonceBytes);
    const nonce = Buffer.from(place);
    place.fill(0);
    this.#used += nonceBytes;
    return nonce;
  }

  end(): void {
    this.#pool.fill(0);
  }
}

/** `count` bytes from the system's generator. */
export function randomBytes(count: number): Buffer {
  return randomFillSync(Buffer.alloc(count));
}

/** A random name: `bytes` bytes as lower-case hex digits. */
export function randomHex(bytes: number): string {
  return randomFillSync(Buffer.alloc(bytes)).toString("hex");
}
