import { SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference, SealedValue } from "../crypto/types.ts";
import type { KeyUse, SealingKey } from "../keys/keys.ts";
import type { BorrowedKeys } from "./borrowed-keys.ts";
import { OpenValues, type OpenedValue, type Standing } from "./open-values.ts";

/**
 * Stored documents whose values are to be under the newest key of their scope: what is under another one is opened and sealed
 * anew, under present names, in its own suite, bound to its record or to none as it was. What is under the newest stays, byte by
 * byte.
 */
export class ResealValues extends OpenValues {
  #sealer: SealingKey | undefined;

  /** The sealing key comes before any other, so that no older key is in memory yet to stand in for it. */
  protected override readonly standing = (sealed: SealedValue, keys: BorrowedKeys): Standing => {
    const sealer = keys.sealer(this.scope, useOf(sealed));
    if (sealer instanceof Promise) return sealer.then(() => undefined);
    if (sealer.standsIn) throw new SealwrightError("kms_unavailable", { reason: "the newest key cannot be had" });
    this.#sealer = sealer;
    return sameKey(sealed.key, sealer.reference) ? "keep" : "open";
  };

  protected override replacement({ plaintext, field, sealed, record }: OpenedValue): Buffer {
    if (this.#sealer === undefined)
      throw new SealwrightError("internal", { reason: "resealed before it was looked at" });
    const token = this.#sealer.seal({
      suite: sealed.suite,
      plaintext,
      rawBytes: false,
      binding: { ...this.scope, field: field.name, record },
      ...(field.pad === undefined ? {} : { pad: field.pad }),
    });
    return Buffer.from(`"${token}"`, "latin1");
  }
}

function useOf({ suite }: SealedValue): KeyUse {
  return suite === 2 ? "deterministic" : "randomized";
}

function sameKey(a: KeyReference, b: KeyReference): boolean {
  if (a.form === "keyring") return b.form === "keyring" && a.shortId.equals(b.shortId);
  // A wrap of the same key under another KEK is left: keys rewrap moves it, without opening anything.
  return b.form === "inline" && a.id.equals(b.id);
}
