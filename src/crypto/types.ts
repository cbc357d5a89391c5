/** Words shared by the sealed-value files. Grammar: see sealed-value.ts. */

/** 1 = XAES-256-GCM (randomised), 2 = AES-256-SIV (deterministic). Ids are never reused. */
export type Suite = 1 | 2;

/** What a sealed value is bound to. `record: undefined` = unbound (form bit 4 clear); an empty record is refused. */
export interface Binding {
  readonly tenant: string;
  readonly dataset: string;
  readonly field: string;
  readonly record: string | undefined;
}

/** How a sealed value names its data key. */
export type KeyReference = KeyringReference | InlineReference;

export interface KeyringReference {
  readonly form: "keyring";
  /** First 16 bytes of the key id. */
  readonly shortId: Buffer;
}

export interface InlineReference {
  readonly form: "inline";
  /** All 32 bytes of the key id. */
  readonly id: Buffer;
  /** Name of the KEK in the local config, `[a-z0-9-]{1,63}`. */
  readonly kek: string;
  readonly wrapped: Buffer;
}

/** What `parseSealedValue` reads; `formatSealedValue` gives the same text back. */
export interface SealedValue {
  readonly suite: Suite;
  /** Form bit 4. */
  readonly recordBound: boolean;
  /** Form bit 5: the plaintext is raw bytes, else JSON text. */
  readonly rawBytes: boolean;
  readonly key: KeyReference;
  /** Suite 1: nonce 24 | ciphertext | tag 16. Suite 2: synthetic IV 16 | ciphertext. */
  readonly body: Buffer;
}

/** What is to be sealed. */
export interface Sealing {
  readonly suite: Suite;
  /** JSON text as it stood (suite 2: one string, sealed in its RFC 8785 form however it is spelled here), or raw bytes. */
  readonly plaintext: Buffer;
  readonly rawBytes: boolean;
  readonly binding: Binding;
  /** Appends spaces to a multiple of this before sealing; JSON text only. */
  readonly pad?: number;
}
