import { createCipheriv, createDecipheriv, type CipherGCMOptions } from "node:crypto";

/** Length of the tag, always given to the runtime: left out, it would accept tags cut to 4 bytes. */
export const gcmTagBytes = 16;
export const gcmNonceBytes = 12;

const options: CipherGCMOptions = { authTagLength: gcmTagBytes };

/** What one message is sealed or opened with: a 32-byte key and a 12-byte nonce, never the same pair for two messages. */
export interface GcmKey {
  readonly key: Buffer;
  readonly nonce: Buffer;
}

export interface GcmMessage {
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/** AES-256-GCM with a 96-bit nonce and a 128-bit tag (NIST SP 800-38D section 7.1). */
export function gcmSeal(with_: GcmKey, plaintext: Buffer, aad: Buffer): GcmMessage {
  const cipher = createCipheriv("aes-256-gcm", with_.key, with_.nonce, options);
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** The plaintext, or `undefined` when the tag is wrong (section 7.2); then no byte of it is left in memory. */
export function gcmOpen(with_: GcmKey, message: GcmMessage, aad: Buffer): Buffer | undefined {
  if (message.tag.length !== gcmTagBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", with_.key, with_.nonce, options);
  decipher.setAuthTag(message.tag);
  decipher.setAAD(aad);
  const plaintext = decipher.update(message.ciphertext);
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}
