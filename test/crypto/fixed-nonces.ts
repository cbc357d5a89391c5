import type { NonceSource } from "../../src/crypto/random.ts";

/** A nonce source that gives what a test lists, in order, and fails when it is asked for more. */
export class FixedNonces implements NonceSource {
  readonly #nonces: Buffer[];
  ended = false;

  constructor(...nonces: Buffer[]) {
    this.#nonces = nonces;
  }

  next(): Buffer {
    const nonce = this.#nonces.shift();
    if (nonce === undefined) throw new Error("no nonce left");
    return nonce;
  }

  end(): void {
    this.ended = true;
  }
}
