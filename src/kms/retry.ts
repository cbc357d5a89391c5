import { hasCode } from "../base/sealwright-error.ts";
import type { KmsContext } from "./context.ts";
import type { GeneratedKey, Kms } from "./kms.ts";
import type { KmsPorts } from "./kms-ports.ts";

/** Pause before the second attempt at most; it doubles for each further one, up to `longestPauseMs`. */
const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Decorator: asks again after `kms_unavailable`, and only then; every other failure is an answer. Pauses have full jitter, so
 * that many sidecars that failed together do not come back together.
 */
export class RetryKms implements Kms {
  readonly #inner: Kms;
  readonly #attempts: number;
  readonly #ports: Pick<KmsPorts, "clock" | "random">;

  constructor(inner: Kms, attempts: number, ports: Pick<KmsPorts, "clock" | "random">) {
    this.#inner = inner;
    this.#attempts = attempts;
    this.#ports = ports;
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

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #again<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (attempt >= this.#attempts || !hasCode(error, "kms_unavailable")) throw error;
        await this.#pause(attempt);
      }
    }
  }

  async #pause(attempt: number): Promise<void> {
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
    // A call under way keeps the process alive, between its attempts too; the clock's own timers do not.
    const alive = setInterval(() => undefined, longestPauseMs);
    await new Promise<void>((resolve) => void this.#ports.clock.after(this.#ports.random() * longest, resolve));
    clearInterval(alive);
  }
}
