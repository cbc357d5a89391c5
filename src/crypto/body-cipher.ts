/** Port: one suite under one key. Bodies are laid out as sealed-value.ts says. */
export interface BodyCipher {
  /** A whole body. */
  seal(plaintext: Buffer, aad: Buffer): Buffer;
  /**
   * The plaintext, or `undefined` when the body does not belong to key and AAD. `body` holds at least the suite's overhead.
   */
  open(body: Buffer, aad: Buffer): Buffer | undefined;
  /** Zeroes the key. Called once; nothing else may be called afterwards. */
  end(): void;
}
