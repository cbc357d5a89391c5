import { setImmediate } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import type { BodyStage } from "./body-stage.ts";

/** After this much work the other requests get their turn, milliseconds. */
const turnMs = 8;
/** Chunks that follow one another as closely as this come in one turn of the event loop, milliseconds. */
const closeMs = 1;
/** A slice aims to take between these, milliseconds. */
const shortSliceMs = 1;
const longSliceMs = 4;

/** Bytes. A kilobyte can hold hundreds of values to seal, a megabyte none. */
const firstSlice = 4 * 1024;
const leastSlice = 256;
const mostSlice = 1024 * 1024;

/**
 * Hands a body on in slices that take a few milliseconds each and lets other requests run in between, so that a body of very
 * many small values holds up nobody else. The size of the slices follows the time they take: a body without much to do goes
 * through whole, and synchronously. A peer that sends as fast as it can is read for many chunks in one turn; after a turn's
 * work it is held back until the others had theirs.
 */
export class PacedBody implements BodyStage {
  readonly #next: BodyStage;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #slice = firstSlice;
  #closed = false;
  #turnStarted = 0;
  #lastEnded = Number.NEGATIVE_INFINITY;

  constructor(next: BodyStage, clock: Pick<Clock, "monotonicMs">) {
    this.#next = next;
    this.#clock = clock;
  }

  write(chunk: Buffer): void | Promise<void> {
    const started = this.#clock.monotonicMs();
    if (started - this.#lastEnded > closeMs) this.#turnStarted = started;
    if (chunk.length > this.#slice) return this.#sliced(chunk);
    const busy = this.#timed(chunk);
    if (busy !== undefined) return busy;
    return this.#lastEnded - this.#turnStarted < turnMs ? undefined : this.#nextTurn();
  }

  end(): void | Promise<void> {
    return this.#next.end();
  }

  close(): void {
    this.#closed = true;
    this.#next.close();
  }

  async #sliced(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#closed;) {
      const slice = chunk.subarray(at, at + this.#slice);
      at += slice.length;
      const busy = this.#timed(slice);
      if (busy !== undefined) await busy;
      if (this.#clock.monotonicMs() - this.#turnStarted >= turnMs) await this.#nextTurn();
    }
  }

  async #nextTurn(): Promise<void> {
    await setImmediate();
    this.#turnStarted = this.#clock.monotonicMs();
    this.#lastEnded = this.#turnStarted;
  }

  #timed(slice: Buffer): void | Promise<void> {
    const started = this.#clock.monotonicMs();
    const busy = this.#next.write(slice);
    this.#lastEnded = this.#clock.monotonicMs();
    if (busy === undefined) this.#adapt(slice.length, this.#lastEnded - started);
    return busy;
  }

  #adapt(bytes: number, ms: number): void {
    if (ms > longSliceMs) this.#slice = Math.max(leastSlice, this.#slice >> 2);
    else if (ms < shortSliceMs && bytes === this.#slice) this.#slice = Math.min(mostSlice, this.#slice << 1);
  }
}
