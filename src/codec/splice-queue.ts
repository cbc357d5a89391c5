import { SealwrightError } from "../base/sealwright-error.ts";
import { ByteGather } from "./byte-gather.ts";
import { emptyBytes } from "./empty-bytes.ts";

interface Piece {
  bytes: Buffer;
  settled: boolean;
  /** Puts small chunks together while the piece waits. */
  gather?: ByteGather;
}

/** While something is held, chunks smaller than this are copied together: what waits costs memory by bytes, not by chunks. */
const smallBytes = 512;

/** The body on its way out: pieces in document order, of which captured ones wait until they are settled. */
export class SpliceQueue {
  #pieces: Piece[] = [];
  /** Number in the body of the first piece of `#pieces`. A slot is a piece's number. */
  #base = 0;
  /** Pieces of `#pieces` that were taken, and those that may be. */
  #taken = 0;
  #ready = 0;
  #heldBytes = 0;

  /** Bytes from the first unsettled piece on. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Appends what leaves as it came. */
  pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#ready < this.#pieces.length && bytes.length < smallBytes) this.#passSmall(bytes);
    else this.#append({ bytes, settled: true });
  }

  /** Appends a captured value; answers its slot. */
  hold(bytes: Buffer): number {
    this.#append({ bytes, settled: false });
    return this.#base + this.#pieces.length - 1;
  }

  /** Throws `internal` for a slot that is settled. */
  settle(slot: number, replacement: Buffer | undefined): void {
    const piece = this.#pieces[slot - this.#base];
    if (piece === undefined || piece.settled) throw new SealwrightError("internal", { reason: "slot settled twice" });
    piece.settled = true;
    if (replacement !== undefined) {
      this.#heldBytes += replacement.length - piece.bytes.length;
      piece.bytes = replacement;
    }
    this.#release();
  }

  take(): Buffer[] {
    const gone = this.#pieces.slice(this.#taken, this.#ready).map((piece) => piece.gather?.take() ?? piece.bytes);
    this.#taken = this.#ready;
    // Moved up only when half is gone: taking stays linear however many pieces wait.
    if (this.#taken * 2 >= this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#taken);
      this.#base += this.#taken;
      this.#ready = 0;
      this.#taken = 0;
    }
    return gone;
  }

  #passSmall(bytes: Buffer): void {
    let piece = this.#pieces.at(-1);
    if (piece?.gather === undefined) {
      piece = { bytes: emptyBytes, settled: true, gather: new ByteGather() };
      this.#append(piece);
    }
    piece.gather?.append(bytes, 0, bytes.length);
    this.#heldBytes += bytes.length;
  }

  #append(piece: Piece): void {
    this.#pieces.push(piece);
    this.#heldBytes += piece.bytes.length;
    this.#release();
  }

  #release(): void {
    for (let piece = this.#pieces[this.#ready]; piece?.settled === true; piece = this.#pieces[this.#ready]) {
      this.#heldBytes -= piece.gather?.length ?? piece.bytes.length;
      this.#ready += 1;
    }
  }
}
