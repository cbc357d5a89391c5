import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { KmsPatience } from "../kms-config.ts";
import type { KmsPorts } from "../kms-ports.ts";
import type { PaceableKms } from "./paced.ts";

type BackOff = Pick<KmsPatience, "backOffMs" | "longestBackOffMs">;

/**
 * Decorator: after a call that found the service out of reach (all its attempts spent), calls fail at once with
 * `kms_unavailable` until a back-off has passed; then one call tries while the others still fail at once. Any answer, a
 * refusal too, ends it: only `kms_unavailable` says that nobody is there.
 */
export class CircuitBreakerKms implements PaceableKms {
  readonly #inner: Kms;
  readonly #kek: string;
  readonly #backOff: BackOff;
  readonly #ports: KmsPorts;
  /** Failed calls in a row; 0 = closed. */
  #failures = 0;
  #openUntil = 0;
  #trying = false;

  constructor(inner: Kms, kek: string, settings: { readonly backOff: BackOff; readonly ports: KmsPorts }) {
    this.#inner = inner;
    this.#kek = kek;
    this.#backOff = settings.backOff;
    this.#ports = settings.ports;
    this.#ports.metrics.gauge("sealwright_kms_breaker_open", 0, { kek });
  }

  get canUnwrap(): boolean {
    return this.#inner.canUnwrap;
  }

  get failsAtOnce(): boolean {
    return this.#failures > 0 && (this.#trying || this.#ports.clock.monotonicMs() < this.#openUntil);
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return this.#guarded(() => this.#inner.generate(context));
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#guarded(() => this.#inner.unwrap(wrapped, context));
  }

  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#guarded(() => this.#inner.wrap(plaintext, context));
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return this.#guarded(() => this.#inner.rewrap(wrapped, context));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #guarded<T>(call: () => Promise<T>): Promise<T> {
    const trial = this.#failures > 0;
    if (trial) {
      if (this.failsAtOnce) throw new SealwrightError("kms_unavailable", { reason: "backing off", kek: this.#kek });
      this.#trying = true;
    }
    try {
      const answer = await call();
      this.#close();
      return answer;
    } catch (error) {
      if (hasCode(error, "kms_unavailable")) this.#open(trial);
      else this.#close();
      throw error;
    } finally {
      if (trial) this.#trying = false;
    }
  }

  #open(trial: boolean): void {
    // Calls that were under way together when the service went away count as one failure.
    if (this.#failures > 0 && !trial) return;
    this.#failures += 1;
    const { backOffMs, longestBackOffMs } = this.#backOff;
    const longest = Math.min(longestBackOffMs, backOffMs * 2 ** (this.#failures - 1));
    // Half of it is certain, half is jitter.
    this.#openUntil = this.#ports.clock.monotonicMs() + longest * (0.5 + 0.5 * this.#ports.random());
    if (this.#failures > 1) return;
    this.#ports.metrics.gauge("sealwright_kms_breaker_open", 1, { kek: this.#kek });
    this.#ports.log.warn("kms_out_of_reach", { kek: this.#kek });
  }

  #close(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#ports.metrics.gauge("sealwright_kms_breaker_open", 0, { kek: this.#kek });
    this.#ports.log.info("kms_back", { kek: this.#kek });
  }
}
