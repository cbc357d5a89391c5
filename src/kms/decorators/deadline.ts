import type { Clock } from "../../base/clock.ts";
import { asSealwrightError, SealwrightError } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";

/** Decorator: a call that has not answered after `limitMs` fails with `kms_unavailable`; a key that comes later is zeroed. */
export class DeadlineKms implements Kms {
  readonly #inner: Kms;
  readonly #limitMs: number;
  readonly #clock: Clock;

  constructor(inner: Kms, limitMs: number, clock: Clock) {
    this.#inner = inner;
    this.#limitMs = limitMs;
    this.#clock = clock;
  }

  get canUnwrap(): boolean {
    return this.#inner.canUnwrap;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return this.#within(this.#inner.generate(context), (late) => late.plaintext.fill(0));
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#within(this.#inner.unwrap(wrapped, context), (late) => late.fill(0));
  }

  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#within(this.#inner.wrap(plaintext, context), () => undefined);
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#within(this.#inner.rewrap(wrapped, context), () => undefined);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #within<T>(call: Promise<T>, dropLate: (late: T) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      let over = false;
      const cancel = this.#clock.after(this.#limitMs, () => {
        over = true;
        reject(new SealwrightError("kms_unavailable", { reason: "deadline" }));
      });
      call.then(
        (answer) => {
          cancel();
          if (over) dropLate(answer);
          else resolve(answer);
        },
        (error: unknown) => {
          cancel();
          reject(asSealwrightError(error));
        },
      );
    });
  }
}
