import type { BodyRewriter } from "./engine.ts";

/** A place in a stream at which a document ends: from here on another run can continue. Offsets in bytes. */
export interface StreamMark {
  readonly input: number;
  readonly output: number;
  /** Documents before it, and lines where documents are lines. */
  readonly documents: number;
  readonly lines: number;
}

export const streamStart: StreamMark = Object.freeze({ input: 0, output: 0, documents: 0, lines: 0 });

/**
 * Rewrites stored documents of any number. Called as a body's rewriter is; after a start at a mark, what it takes is the output
 * from that mark on.
 */
export interface StreamRewriter extends BodyRewriter {
  /** The byte from which on the input has to be written. */
  readonly readFrom: number;
  /** The last end of a document whose output has left, or may leave by the next `take`. */
  readonly mark: StreamMark;
}
