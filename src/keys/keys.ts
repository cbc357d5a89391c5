import type { Binding, KeyReference, SealedValue, Sealing } from "../crypto/types.ts";

/** Whose data a key seals. */
export interface KeyScope {
  readonly tenant: string;
  readonly dataset: string;
}

export type KeyUse = "randomized" | "deterministic";

/**
 * A borrowed data key that may seal. Whoever gets one calls `release` exactly once when done with it; the bytes are zeroed
 * when the cache has dropped the key and the last borrower has released it. Using it after release throws `key_ended`.
 */
export interface SealingKey {
  /** How values that it seals name it. */
  readonly reference: KeyReference;
  /** An older key of the scope in place of the newest, which is not in memory. */
  readonly standsIn: boolean;
  /** The sealed value's text. Throws `key_ended`. */
  seal(sealing: Sealing): string;
  release(): void;
}

/** A borrowed data key that may open. Same rules as `SealingKey`. */
export interface OpeningKey {
  /**
   * The plaintext: JSON text with trailing spaces cut, or raw bytes as they were.
   * Throws `open_failed` for every reason, the reason in its facts only.
   */
  open(value: SealedValue, binding: Binding): Buffer;
  release(): void;
}

/**
 * Port: what the engine knows of keys. Answers are synchronous when the key is in memory, so that a warm request makes no
 * promise; else a promise shared by all who wait for the same key.
 */
export interface Keys {
  /**
   * The newest key that may seal for `scope` and `use`.
   * Throws or rejects: `no_key`; `kms_unavailable`, `kms_denied`, `kms_limited`, `kms_broken` when one had to be unwrapped.
   */
  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey>;
  /**
   * The key that `reference` names, for opening only.
   * Throws or rejects: `open_failed` (unknown, foreign form, unknown KEK, not ours, denied, budget spent: reason in the
   * facts); `kms_unavailable` when the key service cannot be reached and the key is not in memory.
   */
  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey>;
}

/** Keys of a running sidecar, which change under way: keys come, go and retire. */
export interface LiveKeys extends Keys {
  /** The keys as they stand now, for one message: what retires meanwhile goes on opening for it. Costs nothing. */
  snapshot(): Keys;
}
