import { createCipheriv, createDecipheriv, randomBytes, randomFillSync } from "node:crypto";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { contextBytes, type KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { LocalKmsConfig } from "../kms-config.ts";
import { readLocalKeyFile, writeLocalKeyFile } from "./local-key-file.ts";
import { ownedCopy } from "../owned-bytes.ts";
import { generateHere, rewrapHere } from "../wrapped-here.ts";

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const wrappedBytes = 1 + nonceBytes + keyBytes + tagBytes;

/**
 * The development KMS: a KEK in a file of this machine.
 *
 *     wrapped = version u8 (1) | nonce 12 | ciphertext 32 | tag 16      AES-256-GCM, AAD = contextBytes(context)
 *
 * Random 96-bit nonces: safe for the 2^32 wraps that no development key ever makes.
 */
export class LocalKms implements Kms {
  readonly canUnwrap = true;
  readonly #key: Buffer;
  #closed = false;

  /** Takes `key` (32 bytes) over and zeroes it in `close`. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return generateHere(this, context);
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return new Promise((resolve) => resolve(this.#opened(wrapped, context)));
  }

  wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    if (this.#closed) return Promise.reject(closed());
    if (plaintext.length !== keyBytes) return Promise.reject(new SealwrightError("internal", { reason: "key length" }));
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(contextBytes(context));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Promise.resolve(Buffer.concat([Buffer.from([version]), nonce, ciphertext, cipher.getAuthTag()]));
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return rewrapHere(this, wrapped, context);
  }

  /** From now on every call fails: nothing is ever wrapped under the zeroes that are left of the key. */
  close(): Promise<void> {
    this.#closed = true;
    this.#key.fill(0);
    return Promise.resolve();
  }

  #opened(wrapped: Buffer, context: KmsContext): Buffer {
    if (this.#closed) throw closed();
    if (wrapped.length !== wrappedBytes || wrapped[0] !== version) throw notMine("form");
    const nonce = wrapped.subarray(1, 1 + nonceBytes);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(contextBytes(context));
    decipher.setAuthTag(wrapped.subarray(-tagBytes));
    const plaintext = decipher.update(wrapped.subarray(1 + nonceBytes, -tagBytes));
    try {
      decipher.final();
      return ownedCopy(plaintext);
    } catch (error) {
      throw notMine("tag", error);
    } finally {
      plaintext.fill(0);
    }
  }
}

/** Throws `key_file`. */
export async function openLocalKms(config: LocalKmsConfig): Promise<Kms> {
  return new LocalKms(await readLocalKeyFile(config.keyFile));
}

/** Makes a new KEK in a new file of mode 0600. Throws `file_exists`, `key_file`. */
export async function createLocalKeyFile(path: string): Promise<void> {
  const key = randomFillSync(Buffer.alloc(keyBytes));
  try {
    await writeLocalKeyFile(path, key);
  } finally {
    key.fill(0);
  }
}

function closed(): SealwrightError {
  return new SealwrightError("kms_unavailable", { reason: "closed" });
}

function notMine(reason: string, cause?: unknown): SealwrightError {
  return new SealwrightError("kms_not_mine", { reason }, cause);
}
