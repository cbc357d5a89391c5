import { asSealwrightError } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { KmsPorts } from "../kms-ports.ts";

/** Decorator: counts and times every call that reaches the provider, by outcome. */
export class MeteredKms implements Kms {
  readonly #inner: Kms;
  readonly #kek: string;
  readonly #ports: Pick<KmsPorts, "clock" | "metrics">;

  constructor(inner: Kms, kek: string, ports: Pick<KmsPorts, "clock" | "metrics">) {
    this.#inner = inner;
    this.#kek = kek;
    this.#ports = ports;
  }

  get canUnwrap(): boolean {
    return this.#inner.canUnwrap;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return this.#measured("generate", () => this.#inner.generate(context));
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#measured("unwrap", () => this.#inner.unwrap(wrapped, context));
  }

  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#measured("wrap", () => this.#inner.wrap(plaintext, context));
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#measured("rewrap", () => this.#inner.rewrap(wrapped, context));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #measured<T>(operation: string, call: () => Promise<T>): Promise<T> {
    const { clock, metrics } = this.#ports;
    const started = clock.monotonicMs();
    let outcome = "ok";
    try {
      return await call();
    } catch (error) {
      outcome = asSealwrightError(error).code;
      throw error;
    } finally {
      metrics.count("sealwright_kms_calls_total", { kek: this.#kek, operation, outcome });
      const seconds = (clock.monotonicMs() - started) / 1000;
      metrics.observe("sealwright_kms_seconds", seconds, { kek: this.#kek, operation });
    }
  }
}
