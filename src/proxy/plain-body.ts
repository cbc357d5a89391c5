import { SealwrightError } from "../base/sealwright-error.ts";
import { joined, type BodyStage, type BodyTarget } from "./body-stage.ts";

/** Hands a body on as it comes: for routes that neither seal nor check. `most` bounds its bytes. */
export class PlainBody implements BodyStage {
  readonly #target: BodyTarget;
  readonly #most: number;
  #received = 0;

  constructor(target: BodyTarget, most: number) {
    this.#target = target;
    this.#most = most;
    target.open();
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#received += chunk.length;
    if (this.#received > this.#most) throw new SealwrightError("body_too_large");
    return this.#target.write(chunk);
  }

  end(): void {
    this.#target.finish();
  }

  close(): void {
    // Nothing is held.
  }
}

/** The same for a body that is short and says so: it is sent in one piece, which costs neither side a stream. */
export class ShortBody implements BodyStage {
  readonly #target: BodyTarget;
  readonly #held: Buffer[] = [];

  constructor(target: BodyTarget) {
    this.#target = target;
  }

  write(chunk: Buffer): void {
    this.#held.push(chunk);
  }

  end(): void {
    this.#target.whole(joined(this.#held));
  }

  close(): void {
    // Nothing to give back.
  }
}
