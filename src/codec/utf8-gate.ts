import { isUtf8 } from "node:buffer";
import { SealwrightError } from "../base/sealwright-error.ts";
import { emptyBytes } from "./empty-bytes.ts";
import { firstIllFormed, sequenceLength, wholeSequencesEnd } from "./utf8-tail.ts";

/** Takes well-formed UTF-8 that ends between two characters. `position`: offset of its first byte in the body. */
export type WellFormedReader = (bytes: Buffer, position: number) => void;

/**
 * Stands before the scanner, so that the scanner never meets ill-formed UTF-8: chunks pass uncopied, save that a character
 * cut by a chunk's end waits for its other bytes and passes as a piece of its own (at most 4 bytes). What stands before an
 * ill-formed sequence is read first, so that the first offence in byte order decides, however the body was cut.
 */
export class Utf8Gate {
  readonly #read: WellFormedReader;
  #position = 0;
  #cut = emptyBytes;

  constructor(read: WellFormedReader) {
    this.#read = read;
  }

  /** Bytes of the body that have passed. */
  get position(): number {
    return this.#position;
  }

  /** Throws `json_encoding`. */
  push(chunk: Buffer): void {
    const rest = this.#cut.length === 0 ? chunk : this.#completeCut(chunk);
    const end = wholeSequencesEnd(rest, rest.length);
    const whole = end === rest.length ? rest : rest.subarray(0, end);
    if (whole.length > 0) this.#admit(whole);
    if (end < rest.length) this.#cut = Buffer.from(rest.subarray(end));
  }

  /** Throws `json_encoding` when the body ends inside a character. */
  end(): void {
    if (this.#cut.length > 0) throw this.#refusal();
  }

  #completeCut(chunk: Buffer): Buffer {
    const missing = sequenceLength(this.#cut[0] as number) - this.#cut.length;
    const character = Buffer.concat([this.#cut, chunk.subarray(0, missing)]);
    if (chunk.length < missing) {
      this.#cut = character;
      return emptyBytes;
    }
    this.#cut = emptyBytes;
    this.#admit(character);
    return chunk.subarray(missing);
  }

  #admit(bytes: Buffer): void {
    if (isUtf8(bytes)) {
      this.#pass(bytes);
      return;
    }
    const end = firstIllFormed(bytes);
    if (end > 0) this.#pass(bytes.subarray(0, end));
    throw this.#refusal();
  }

  #pass(bytes: Buffer): void {
    this.#read(bytes, this.#position);
    this.#position += bytes.length;
  }

  #refusal(): SealwrightError {
    return new SealwrightError("json_encoding", { position: this.#position });
  }
}
