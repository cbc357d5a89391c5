import { fromBase64url } from "../../base/bytes.ts";
import { asSealwrightError, SealwrightError } from "../../base/sealwright-error.ts";
import { equalBytes } from "../../crypto/constant-time.ts";
import { keyIdOf } from "../../crypto/key-derivation.ts";
import type { KmsContext } from "../../kms/context.ts";
import type { Kms } from "../../kms/kms.ts";
import type { KeyringWrap } from "../keyring/keyring-file.ts";
import type { KmsByName } from "../unwrapper.ts";
import { wrapsInOrder } from "../wrap-order.ts";

/** A key of the keyring, an entry or the root, as what wraps it. */
export interface WrapHolder {
  /** 64 hex digits. */
  readonly id: string;
  readonly context: KmsContext;
  readonly wraps: readonly KeyringWrap[];
}

/** A wrap and the KEK that can open it here. */
export interface AskableWrap {
  readonly wrap: KeyringWrap;
  readonly kms: Kms;
}

/** The bytes of the key by the first wrap that gives it; the caller zeroes them. Throws `kms_*` with the KEK. */
export async function openWrap(holder: WrapHolder, kmsByName: KmsByName): Promise<Buffer> {
  const failures: SealwrightError[] = [];
  for (const askable of wrapsInOrder(holder.wraps, { kms: kmsByName, preferred: [] })) {
    try {
      return await openOne(holder, askable);
    } catch (error) {
      failures.push(asSealwrightError(error));
    }
  }
  throw (
    failures.find(({ code }) => code === "kms_unavailable") ??
    failures[0] ??
    new SealwrightError("kms_not_mine", { reason: "no wrap of it opens here", keyId: holder.id.slice(0, 16) })
  );
}

/** The bytes of the key by this one wrap, proven by its id; the caller zeroes them. Throws `kms_*` with KEK and key. */
export async function openOne({ id, context }: WrapHolder, { wrap, kms }: AskableWrap): Promise<Buffer> {
  const facts = { kek: wrap.kek, keyId: id.slice(0, 16) };
  const plaintext = await kms.unwrap(wrapBytes(wrap), context).catch((error: unknown) => {
    throw asSealwrightError(error).withFacts(facts);
  });
  if (equalBytes(keyIdOf(plaintext), Buffer.from(id, "hex"))) return plaintext;
  plaintext.fill(0);
  throw new SealwrightError("kms_broken", { reason: "unwrapped to another key", ...facts });
}

/** The file's reader has checked the spelling. */
export function wrapBytes({ wrapped }: KeyringWrap): Buffer {
  return fromBase64url(wrapped) ?? Buffer.alloc(0);
}
