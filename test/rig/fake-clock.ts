import type { Clock } from "../../src/base/clock.ts";

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** A clock that stands still until the test moves it. Its wall time can jump without its monotonic time. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #wallOffset = Date.UTC(2026, 10, 25) - 1_000_000;
  readonly #timers = new Set<Timer>();

  monotonicMs(): number {
    return this.#now;
  }

  wallMs(): number {
    return this.#now + this.#wallOffset;
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.#now + ms, task };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves time on; each timer that falls due runs at its own time, and what hangs on it gets its turn. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
    await settled();
  }
}

/** Lets promises that can settle without outside help do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
