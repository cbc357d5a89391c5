import { createHash } from "node:crypto";

/** SHA-256 of a stream's bytes up to a mark that follows behind what has been pushed. */
export class MarkedDigest {
  readonly #hash = createHash("sha256");
  /** Pushed and still behind the mark. */
  readonly #pending: Buffer[] = [];
  /** Bytes before the mark. */
  #digested = 0;

  push(bytes: Buffer): void {
    if (bytes.length > 0) this.#pending.push(bytes);
  }

  /** Moves the mark on to `offset`, which has been pushed. */
  advance(offset: number): void {
    while (this.#digested < offset) {
      const piece = this.#pending.shift();
      if (piece === undefined) return;
      const before = piece.subarray(0, offset - this.#digested);
      this.#hash.update(before);
      this.#digested += before.length;
      if (before.length < piece.length) this.#pending.unshift(piece.subarray(before.length));
    }
  }

  /** Of all bytes before the mark, hexadecimal. */
  hex(): string {
    return this.#hash.copy().digest("hex");
  }
}
