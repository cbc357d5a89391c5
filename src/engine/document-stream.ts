import type { BodyRewriter } from "./engine.ts";
import type { MarkedWork } from "./marked-work.ts";
import type { StreamMark, StreamRewriter } from "./stream-rewriter.ts";

/**
 * One JSON text of any length with documents in it. After a start at a mark its input is read from the beginning again, so that
 * it is checked whole; what an earlier run has written does not leave a second time.
 */
export class DocumentStream implements StreamRewriter {
  readonly readFrom = 0;
  readonly #body: BodyRewriter;
  readonly #work: MarkedWork;
  /** Bytes of output, equal to those of the input, that are written already. */
  #written: number;

  constructor(body: BodyRewriter, work: MarkedWork, start: StreamMark) {
    this.#body = body;
    this.#work = work;
    this.#written = start.input;
  }

  get mark(): StreamMark {
    return this.#work.mark;
  }

  write(chunk: Buffer): void | Promise<void> {
    return this.#body.write(chunk);
  }

  end(): void | Promise<void> {
    return this.#body.end();
  }

  take(): Buffer[] {
    const out: Buffer[] = [];
    for (const piece of this.#body.take()) {
      const known = Math.min(piece.length, this.#written);
      this.#written -= known;
      if (known < piece.length) out.push(piece.subarray(known));
    }
    return out;
  }

  close(): void {
    this.#body.close();
  }
}
