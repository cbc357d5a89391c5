import { SealwrightError } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { KmsPatience } from "../kms-config.ts";
import type { KmsPorts } from "../kms-ports.ts";
import { Pace } from "./pace.ts";
import { pause } from "./pause.ts";

/** What is paced: a service that says when it refuses without asking anybody. */
export interface PaceableKms extends Kms {
  /** True while calls fail at once: then none waits for a turn or takes one. */
  readonly failsAtOnce: boolean;
}

type Pacing = Pick<KmsPatience, "rate" | "attemptMs" | "callMs">;

/**
 * Decorator: spreads calls over time by a token bucket, so that cold starts (one process with 10,000 keys, or 1,000 processes
 * that start together) reach the key service as a stream and not as a storm. Calls beyond the burst wait for their turn, a
 * random part of a turn longer, so that processes fall out of step. What could not be answered in time fails at once with
 * `kms_unavailable`: the service is not to blame, and the circuit breaker beneath never hears of it.
 */
export class PacedKms implements Kms {
  readonly #inner: PaceableKms;
  readonly #kek: string;
  readonly #pace: Pace;
  readonly #longestMs: number;
  readonly #ports: Pick<KmsPorts, "clock" | "random">;

  constructor(inner: PaceableKms, kek: string, settings: { readonly pacing: Pacing; readonly ports: KmsPorts }) {
    const { pacing, ports } = settings;
    this.#inner = inner;
    this.#kek = kek;
    this.#pace = new Pace(pacing.rate, ports.clock);
    // One attempt still has to fit in after the turn has come.
    this.#longestMs = Math.max(0, pacing.callMs - pacing.attemptMs);
    this.#ports = ports;
  }

  get canUnwrap(): boolean {
    return this.#inner.canUnwrap;
  }

  async generate(context: KmsContext): Promise<GeneratedKey> {
    await this.#turn();
    return this.#inner.generate(context);
  }

  async unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    await this.#turn();
    return this.#inner.unwrap(wrapped, context);
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    await this.#turn();
    return this.#inner.wrap(plaintext, context);
  }

  async rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    await this.#turn();
    return this.#inner.rewrap(wrapped, context);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #turn(): Promise<void> {
    if (this.#inner.failsAtOnce) return;
    const waitMs = this.#pace.take(this.#longestMs);
    if (waitMs === undefined) throw new SealwrightError("kms_unavailable", { reason: "paced", kek: this.#kek });
    if (waitMs > 0) await pause(waitMs + this.#ports.random() * this.#pace.intervalMs, this.#ports.clock);
  }
}
