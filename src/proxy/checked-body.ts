import { SealwrightError } from "../base/sealwright-error.ts";
import type { Limits } from "../base/limits.ts";
import type { BodyRewriter } from "../engine/engine.ts";
import { joined, type BodyStage, type BodyTarget } from "./body-stage.ts";

/**
 * Sends a body through the engine. Up to `limits.wholeBytes` nothing leaves before the end: a refused body leaves no trace
 * and a good one gets its exact length. A longer one leaves piece by piece, and whoever owns the target breaks it on an error.
 */
export class CheckedBody implements BodyStage {
  readonly #rewriter: BodyRewriter;
  readonly #target: BodyTarget;
  readonly #limits: Limits;
  #held: Buffer[] = [];
  #received = 0;
  #streaming = false;
  #busy = false;
  #closed = false;

  constructor(rewriter: BodyRewriter, target: BodyTarget, limits: Limits) {
    this.#rewriter = rewriter;
    this.#target = target;
    this.#limits = limits;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#received += chunk.length;
    if (this.#received > this.#limits.bodyBytes) throw new SealwrightError("body_too_large");
    const busy = this.#rewriter.write(chunk);
    return busy === undefined ? this.#release() : this.#after(busy, () => this.#release());
  }

  end(): void | Promise<void> {
    const busy = this.#rewriter.end();
    return busy === undefined ? this.#finish() : this.#after(busy, () => this.#finish());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A rewriter that waits for a key is closed when the wait is over.
    if (!this.#busy) this.#rewriter.close();
  }

  async #after(busy: Promise<void>, then: () => void | Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await busy;
    } finally {
      this.#busy = false;
      if (this.#closed) this.#rewriter.close();
    }
    if (!this.#closed) await then();
  }

  #release(): void | Promise<void> {
    const out = this.#rewriter.take();
    if (this.#streaming) return out.length === 0 ? undefined : this.#target.write(joined(out));
    for (const piece of out) this.#held.push(piece);
    if (this.#received <= this.#limits.wholeBytes) return undefined;
    const held = this.#held;
    this.#held = [];
    if (held.length === 0) return undefined;
    this.#streaming = true;
    this.#target.open();
    return this.#target.write(joined(held));
  }

  #finish(): void | Promise<void> {
    const rest = this.#rewriter.take();
    if (!this.#streaming) {
      for (const piece of rest) this.#held.push(piece);
      this.#target.whole(joined(this.#held));
      return undefined;
    }
    const busy = rest.length === 0 ? undefined : this.#target.write(joined(rest));
    if (busy !== undefined) return busy.then(() => this.#target.finish());
    this.#target.finish();
    return undefined;
  }
}
