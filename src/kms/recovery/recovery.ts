import { SealwrightError } from "../../base/sealwright-error.ts";
import { contextBytes, type KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { RecoveryKmsConfig } from "../kms-config.ts";
import { parseRecoveryRecipient, readRecoverySecret, writeRecoverySecret } from "./recovery-key.ts";
import { RecoverySuite, type RecoveryKeys } from "./recovery-suite.ts";
import { generateHere, rewrapHere } from "../wrapped-here.ts";

const version = 1;
const keyBytes = 32;
const encBytes = 32;
const tagBytes = 16;
const wrappedBytes = 1 + encBytes + keyBytes + tagBytes;

/** What the provider holds of its recovery key. */
type HeldKey = Pick<RecoveryKeys, "publicKey"> & Partial<RecoveryKeys>;

/**
 * An offline recovery key: everybody wraps to its public half, and only who has fetched the secret from the safe unwraps.
 *
 *     wrapped = version u8 (1) | enc 32 | ciphertext 32 | tag 16        HPKE base mode, aad = contextBytes(context)
 *
 * A wrap says who may read, not who wrote it: whoever knows the recipient can make one. Keys are told apart by their ids.
 */
class RecoveryKms implements Kms {
  readonly #suite: RecoverySuite;
  #held: HeldKey | undefined;

  constructor(suite: RecoverySuite, held: HeldKey) {
    this.#suite = suite;
    this.#held = held;
  }

  get canUnwrap(): boolean {
    return this.#held?.privateKey !== undefined;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return generateHere(this, context);
  }

  async unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const { publicKey, privateKey } = this.#key();
    if (privateKey === undefined) throw notMine("the secret is not here");
    if (wrapped.length !== wrappedBytes || wrapped[0] !== version) throw notMine("form");
    const message = { enc: wrapped.subarray(1, 1 + encBytes), ciphertext: wrapped.subarray(1 + encBytes) };
    return this.#suite.open({ publicKey, privateKey }, message, contextBytes(context)).catch((error: unknown) => {
      throw notMine("tag", error);
    });
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    const { publicKey } = this.#key();
    if (plaintext.length !== keyBytes) throw new SealwrightError("internal", { reason: "key length" });
    const { enc, ciphertext } = await this.#suite.seal(publicKey, plaintext, contextBytes(context));
    return Buffer.concat([Buffer.from([version]), enc, ciphertext]);
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return rewrapHere(this, wrapped, context);
  }

  close(): Promise<void> {
    this.#held = undefined;
    return Promise.resolve();
  }

  #key(): HeldKey {
    if (this.#held === undefined) throw new SealwrightError("kms_unavailable", { reason: "closed" });
    return this.#held;
  }
}

/**
 * Tried before anybody relies on it: what is wrapped where nobody can unwrap could not be found wrong before the day it is
 * needed. Without the secret, wrapping is tried with a pair of its own, and the recipient with one wrap.
 * Throws `config_invalid` (recipient, or not the secret's), `key_file`.
 */
export async function openRecoveryKms({ recipient, secretFile }: RecoveryKmsConfig): Promise<Kms> {
  const suite = new RecoverySuite();
  const publicKey = parseRecoveryRecipient(recipient);
  if (publicKey === undefined) throw new SealwrightError("config_invalid", { reason: "recipient" });
  const pair = await suite.newPair();
  await assertRoundTrip(new RecoveryKms(suite, await suite.keys(pair)), "the cipher suite does not work here");
  pair.secret.fill(0);
  return secretFile === undefined
    ? wrapOnly(suite, publicKey)
    : withSecret(suite, { publicKey, secret: await readRecoverySecret(secretFile) }, secretFile);
}

async function wrapOnly(suite: RecoverySuite, publicKey: Buffer): Promise<Kms> {
  try {
    const kms = new RecoveryKms(suite, { publicKey: await suite.publicKey(publicKey) });
    await kms.wrap(Buffer.alloc(keyBytes), {});
    return kms;
  } catch (error) {
    throw new SealwrightError("config_invalid", { reason: "nothing can be wrapped to this recipient" }, error);
  }
}

async function withSecret(
  suite: RecoverySuite,
  pair: { readonly publicKey: Buffer; readonly secret: Buffer },
  file: string,
): Promise<Kms> {
  try {
    const kms = new RecoveryKms(suite, await suite.keys(pair));
    await assertRoundTrip(kms, "the secret is not this recipient's", file);
    return kms;
  } finally {
    pair.secret.fill(0);
  }
}

async function assertRoundTrip(kms: Kms, reason: string, file?: string): Promise<void> {
  try {
    const { plaintext, wrapped } = await kms.generate({});
    const back = await kms.unwrap(wrapped, {});
    const same = back.equals(plaintext);
    for (const key of [plaintext, back]) key.fill(0);
    if (same) return;
  } catch (error) {
    throw new SealwrightError("config_invalid", { reason, ...(file === undefined ? {} : { file }) }, error);
  }
  throw new SealwrightError("config_invalid", { reason });
}

/** Makes a new recovery key: the secret into a new file of mode 0600. Gives the recipient. Throws `file_exists`, `key_file`. */
export async function createRecoveryKey(path: string): Promise<string> {
  const pair = await new RecoverySuite().newPair();
  try {
    return await writeRecoverySecret(path, pair);
  } finally {
    pair.secret.fill(0);
  }
}

function notMine(reason: string, cause?: unknown): SealwrightError {
  return new SealwrightError("kms_not_mine", { reason }, cause);
}
