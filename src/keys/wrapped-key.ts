import type { KmsContext } from "../kms/context.ts";

/** A data key as it lies in a keyring or travels in a value. */
export interface WrappedKey {
  /** All 32 bytes of the id: what comes out of the key service must hash to it. */
  readonly id: Buffer;
  /** In order of trial; a KEK that the configuration does not name is passed over. */
  readonly wraps: readonly { readonly kek: string; readonly wrapped: Buffer }[];
  /** What the wraps are bound to. */
  readonly context: KmsContext;
}
