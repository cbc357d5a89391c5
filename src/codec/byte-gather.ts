import { emptyBytes } from "./empty-bytes.ts";

/** Puts together what chunk ends cut: a name or a value, copied once into a buffer that grows by doubling. */
export class ByteGather {
  #bytes = emptyBytes;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies `source[start, end)`. */
  append(source: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(64, needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    source.copy(this.#bytes, this.#length, start, end);
    this.#length = needed;
  }

  /** What was gathered, until the next `append`; the gather is empty after. */
  borrow(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  /** What was gathered, for the caller to keep. */
  take(): Buffer {
    const bytes = this.borrow();
    this.#bytes = emptyBytes;
    return bytes;
  }
}
