/** How long nothing has moved, as seen by a sweep: moving costs no look at the clock. */
export class QuietWatch {
  #moved = true;
  #sinceMs = 0;

  moved(): void {
    this.#moved = true;
  }

  /** Milliseconds since the first sweep after the last move. */
  quietMs(nowMs: number): number {
    if (this.#moved) {
      this.#moved = false;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs;
  }
}
