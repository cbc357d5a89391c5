import type { KmsContext } from "./context.ts";

export interface GeneratedKey {
  /** 32 bytes; the caller owns and zeroes them. */
  readonly plaintext: Buffer;
  readonly wrapped: Buffer;
}

/**
 * Port: one KEK in one key service. The contract is in how calls fail, each with a SealwrightError of one of these codes:
 *
 * - `kms_not_mine`: this KEK did not wrap these bytes under this context (other key, other context, tampered). Asking again
 *   cannot help; another KEK may know them.
 * - `kms_denied`: the key or the caller is not allowed, disabled or gone. Ends the use of cached keys at once.
 * - `kms_broken`: the answer is not what the service may answer (wrong KeyId, wrong length). Never used, never retried.
 * - `kms_unavailable`: busy or out of reach (timeout, 5xx, throttled, connection, TLS). Worth a retry; the outage budget runs.
 *
 * Plaintext keys are exactly 32 bytes in both directions. Decorators (retry, breaker, deadline, metrics) keep this contract.
 */
export interface Kms {
  /**
   * False: it wraps, but cannot unwrap here, as a recovery key whose secret lies in a safe. `unwrap` and `rewrap` then fail with
   * `kms_not_mine`, and nobody asks.
   */
  readonly canUnwrap: boolean;
  generate(context: KmsContext): Promise<GeneratedKey>;
  /** Gives a Buffer that the caller owns and zeroes. */
  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer>;
  /** Leaves `plaintext` as it is; the caller zeroes it. */
  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer>;
  /** The same key wrapped anew under the KEK's newest version. The caller proves it before the old wrap goes. */
  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer>;
  close(): Promise<void>;
}
