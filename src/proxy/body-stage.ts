/**
 * One step of a body's way. Chunks come one after the other; whoever writes waits for each answer before the next call
 * (that is the back-pressure), and nothing is called after a throw, a rejection, or `close`.
 */
export interface BodyStage {
  /** Throws or rejects with a SealwrightError. Synchronous when it can be. */
  write(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
  /** Ends it early or late: gives back what it holds. Twice is fine. */
  close(): void;
}

/** Where a body's bytes go in the end: to the upstream or to the client. */
export interface BodyTarget {
  /** The body is complete and checked. */
  whole(body: Buffer): void;
  /** The body is longer than is held: what follows comes by `write`, then `finish`. */
  open(): void;
  write(chunk: Buffer): void | Promise<void>;
  finish(): void;
}

export function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
}
