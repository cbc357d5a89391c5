import { SealwrightError } from "../base/sealwright-error.ts";

interface Piece {
  bytes: Buffer;
  settled: boolean;
}

/** The body on its way out: pieces in document order, of which captured ones wait until they are settled. */
export class SpliceQueue {
  #pieces: Piece[] = [];
  /** Pieces taken so far; a slot is a piece's number from the body's start. */
  #taken = 0;
  /** Leading pieces that may leave. */
  #ready = 0;
  #heldBytes = 0;

  /** Bytes from the first unsettled piece on. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Appends what leaves as it came. */
  pass(bytes: Buffer): void {
    if (bytes.length > 0) this.#append({ bytes, settled: true });
  }

  /** Appends a captured value; answers its slot. */
  hold(bytes: Buffer): number {
    this.#append({ bytes, settled: false });
    return this.#taken + this.#pieces.length - 1;
  }

  settle(slot: number, replacement: Buffer | undefined): void {
    const piece = this.#pieces[slot - this.#taken];
    if (piece === undefined || piece.settled) throw new SealwrightError("internal", { reason: "slot settled twice" });
    piece.settled = true;
    if (replacement !== undefined) {
      this.#heldBytes += replacement.length - piece.bytes.length;
      piece.bytes = replacement;
    }
    this.#release();
  }

  take(): Buffer[] {
    const gone = this.#pieces.splice(0, this.#ready);
    this.#taken += gone.length;
    this.#ready = 0;
    return gone.map((piece) => piece.bytes);
  }

  #append(piece: Piece): void {
    this.#pieces.push(piece);
    this.#heldBytes += piece.bytes.length;
    this.#release();
  }

  #release(): void {
    for (let piece = this.#pieces[this.#ready]; piece?.settled === true; piece = this.#pieces[this.#ready]) {
      this.#heldBytes -= piece.bytes.length;
      this.#ready += 1;
    }
  }
}
