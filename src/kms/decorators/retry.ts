import { hasCode } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { KmsPatience } from "../kms-config.ts";
import type { KmsPorts } from "../kms-ports.ts";
import { pause } from "./pause.ts";

/** Pause before the second attempt at most; it doubles for each further one, up to `longestPauseMs`. */
const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Decorator: asks again after `kms_unavailable`, and only then; every other failure is an answer. Pauses have full jitter, so
 * that many sidecars that failed together do not come back together; none begins that could not end within the call's time.
 */
export class RetryKms implements Kms {
  readonly #inner: Kms;
  readonly #limits: Pick<KmsPatience, "attempts" | "callMs">;
  readonly #ports: Pick<KmsPorts, "clock" | "random">;

  constructor(inner: Kms, limits: Pick<KmsPatience, "attempts" | "callMs">, ports: Pick<KmsPorts, "clock" | "random">) {
    this.#inner = inner;
    this.#limits = limits;
    this.#ports = ports;
  }

  get canUnwrap(): boolean {
    return this.#inner.canUnwrap;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return this.#again(() => this.#inner.generate(context));
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#again(() => this.#inner.unwrap(wrapped, context));
  }

  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#again(() => this.#inner.wrap(plaintext, context));
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#again(() => this.#inner.rewrap(wrapped, context));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #again<T>(call: () => Promise<T>): Promise<T> {
    const end = this.#ports.clock.monotonicMs() + this.#limits.callMs;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (attempt >= this.#limits.attempts || !hasCode(error, "kms_unavailable")) throw error;
        const pauseMs = this.#ports.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
        if (this.#ports.clock.monotonicMs() + pauseMs >= end) throw error;
        await pause(pauseMs, this.#ports.clock);
      }
    }
  }
}
