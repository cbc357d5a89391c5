import { SealwrightError } from "../base/sealwright-error.ts";
import type { BodyStage } from "./body-stage.ts";
import { createDecoder, type ContentCoding, type Decoder } from "./content-coding.ts";

/**
 * Takes a content coding off and hands the decoded bytes on as they come, so that a bomb is met by the next stage's limits
 * long before it has unfolded. A cut body, a corrupt one, or bytes behind the coded stream are `content_encoding`.
 */
export class DecodedBody implements BodyStage {
  readonly #next: BodyStage;
  readonly #decoder: Decoder;
  readonly #most: number;
  #received = 0;
  #failure: unknown;
  /** Rejects the call that is waited for. */
  #reject: ((error: unknown) => void) | undefined;
  #ended: (() => void) | undefined;

  /** `most` bounds the coded bytes: a stream of empty blocks decodes to nothing for ever. */
  constructor(coding: ContentCoding, next: BodyStage, most: number) {
    this.#next = next;
    this.#most = most;
    this.#decoder = createDecoder(coding);
    this.#decoder.on("data", (chunk: Buffer) => this.#forward(chunk));
    this.#decoder.on("end", () => this.#finished());
    this.#decoder.on("error", (error) =>
      this.#fail(new SealwrightError("content_encoding", { reason: "corrupt" }, error)),
    );
  }

  write(chunk: Buffer): Promise<void> {
    this.#received += chunk.length;
    if (this.#received > this.#most) throw new SealwrightError("body_too_large");
    return this.#waiting((resolve) => {
      this.#decoder.write(chunk, (error) => {
        if (error === null || error === undefined) resolve();
      });
    });
  }

  async end(): Promise<void> {
    await this.#waiting((resolve) => {
      this.#ended = resolve;
      this.#decoder.end();
    });
    await this.#next.end();
  }

  close(): void {
    this.#decoder.destroy();
    this.#next.close();
  }

  #waiting(start: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#failure === undefined) start(resolve);
      else this.#fail(this.#failure);
    });
  }

  #forward(chunk: Buffer): void {
    try {
      const busy = this.#next.write(chunk);
      if (busy === undefined) return;
      this.#decoder.pause();
      busy.then(
        () => this.#decoder.resume(),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #finished(): void {
    // Node's decoders end without a word at the first byte behind the stream that they don't know.
    if (this.#decoder.bytesWritten !== this.#received) {
      this.#fail(new SealwrightError("content_encoding", { reason: "bytes behind the coded stream" }));
      return;
    }
    this.#ended?.();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#decoder.destroy();
    this.#reject?.(this.#failure);
  }
}
