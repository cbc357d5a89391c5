import type { KmsContext } from "../kms/context.ts";

/** A data key as it lies in a keyring or travels in a value. */
export interface WrappedKey {
  /**
   * All 32 bytes of the id that what comes out must hash to. Absent where only a value names it: one value's word must not
   * decide for others that carry the same wrap, so there the id is compared on every use.
   */
  readonly id?: Buffer | undefined;
  /** In order of trial; a KEK that the configuration does not name is passed over. */
  readonly wraps: readonly { readonly kek: string; readonly wrapped: Buffer }[];
  /** What the wraps are bound to. */
  readonly context: KmsContext;
}
