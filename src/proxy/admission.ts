import type { Metrics } from "../base/metrics.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

/** A request that was let in. */
export interface Admitted {
  /** Looks at its own deadlines: one sweep for all instead of timers for each. */
  tick(nowMs: number): void;
  /** The drain's deadline has passed. */
  abandon(): void;
}

/** Counts the requests under way on one listener and sheds what would be too many. */
export class Admission {
  readonly #active = new Set<Admitted>();
  readonly #most: number;
  readonly #listener: string;
  readonly #metrics: Metrics;
  #draining = false;
  #whenEmpty: (() => void) | undefined;

  constructor(most: number, listener: string, metrics: Metrics) {
    this.#most = most;
    this.#listener = listener;
    this.#metrics = metrics;
  }

  get active(): number {
    return this.#active.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Throws `overloaded`. */
  enter(request: Admitted): void {
    if (this.#active.size >= this.#most) throw new SealwrightError("overloaded");
    this.#active.add(request);
    this.#report();
  }

  leave(request: Admitted): void {
    if (!this.#active.delete(request)) return;
    this.#report();
    if (this.#active.size === 0) this.#whenEmpty?.();
  }

  /** From now on every answer closes its connection. Settles when no request is under way. */
  drained(): Promise<void> {
    this.#draining = true;
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  sweep(nowMs: number): void {
    for (const request of [...this.#active]) request.tick(nowMs);
  }

  abandonAll(): void {
    for (const request of [...this.#active]) request.abandon();
  }

  #report(): void {
    this.#metrics.gauge("sealwright_requests_active", this.#active.size, { listener: this.#listener });
  }
}
