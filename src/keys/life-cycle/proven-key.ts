import { SealwrightError } from "../../base/sealwright-error.ts";
import { equalBytes } from "../../crypto/constant-time.ts";
import { dataKeyBytes, keyIdOf } from "../../crypto/key-derivation.ts";
import type { KmsContext } from "../../kms/context.ts";
import type { Kms } from "../../kms/kms.ts";
import type { KmsByName } from "../unwrapper.ts";

/** A new key of which every wrap has been opened once under its own context, where its KEK can open it here. */
export interface ProvenKey {
  /** 32 bytes; the caller owns and zeroes them. */
  readonly plaintext: Buffer;
  readonly id: Buffer;
  readonly wraps: readonly { readonly kek: string; readonly wrapped: Buffer }[];
}

const longestWrapped = 0xffff;

/**
 * Has the first of `keks` generate a key and the others wrap it, then proves each wrap by one unwrap: no value is ever sealed
 * under a key that could not come back. A recovery key whose secret lies in a safe cannot be asked: it was tried when it was
 * opened, and never stands first. Throws `config_invalid` (a KEK that is not configured, a first one that cannot unwrap), `kms_*`.
 */
export async function generateProvenKey(
  keks: readonly string[],
  kmsByName: KmsByName,
  context: KmsContext,
): Promise<ProvenKey> {
  const [first, ...others] = keks.map((kek) => ({ kek, kms: kmsOf(kek, kmsByName) }));
  if (first === undefined) throw new SealwrightError("config_invalid", { reason: "no KEK" });
  if (!first.kms.canUnwrap) throw new SealwrightError("config_invalid", { reason: "cannot unwrap", kek: first.kek });
  const { plaintext, wrapped } = await first.kms.generate(context);
  try {
    if (plaintext.length !== dataKeyBytes) throw broken("data key length", first.kek);
    const id = keyIdOf(plaintext);
    const wraps = [{ kek: first.kek, wrapped }];
    for (const { kek, kms } of others) wraps.push({ kek, wrapped: await kms.wrap(plaintext, context) });
    for (const wrap of wraps) await prove(wrap, id, { kms: kmsOf(wrap.kek, kmsByName), context });
    return { plaintext, id, wraps };
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}

async function prove(
  { kek, wrapped }: { readonly kek: string; readonly wrapped: Buffer },
  id: Buffer,
  under: { readonly kms: Kms; readonly context: KmsContext },
): Promise<void> {
  if (wrapped.length < 1 || wrapped.length > longestWrapped) throw broken("wrapped key length", kek);
  if (!under.kms.canUnwrap) return;
  const back = await under.kms.unwrap(wrapped, under.context);
  const same = equalBytes(keyIdOf(back), id);
  back.fill(0);
  if (!same) throw broken("new key did not come back", kek);
}

function kmsOf(kek: string, kmsByName: KmsByName): Kms {
  const kms = kmsByName.get(kek);
  if (kms === undefined) throw new SealwrightError("config_invalid", { reason: "unknown KEK", kek });
  return kms;
}

function broken(reason: string, kek: string): SealwrightError {
  return new SealwrightError("kms_broken", { reason, kek });
}
