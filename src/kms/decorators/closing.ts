import { SealwrightError } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";

/** Decorator: once closed, nothing is asked any more, whatever the provider's client would still do. Closing twice is fine. */
export class ClosingKms implements Kms {
  readonly #inner: Kms;
  #closed: Promise<void> | undefined;

  constructor(inner: Kms) {
    this.#inner = inner;
  }

  get canUnwrap(): boolean {
    return this.#inner.canUnwrap;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return this.#open((inner) => inner.generate(context));
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#open((inner) => inner.unwrap(wrapped, context));
  }

  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#open((inner) => inner.wrap(plaintext, context));
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#open((inner) => inner.rewrap(wrapped, context));
  }

  close(): Promise<void> {
    this.#closed ??= this.#inner.close();
    return this.#closed;
  }

  #open<T>(call: (inner: Kms) => Promise<T>): Promise<T> {
    if (this.#closed === undefined) return call(this.#inner);
    return Promise.reject(new SealwrightError("kms_unavailable", { reason: "closed" }));
  }
}
