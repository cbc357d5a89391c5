import { fromBase64url, toBase64url } from "../base/bytes.ts";
import { asSealwrightError, SealwrightError } from "../base/sealwright-error.ts";
import { equalBytes } from "../crypto/constant-time.ts";
import { keyIdOf } from "../crypto/key-derivation.ts";
import type { KmsContext } from "../kms/context.ts";
import type { Kms } from "../kms/kms.ts";
import { keyState } from "./entry-named.ts";
import type { KeyringWrap } from "./keyring-file.ts";
import type { KmsByName } from "./unwrapper.ts";
import { noEdits, type DroppedWrap, type WrapEdits } from "./wrap-edits.ts";

/** An entry, or the root, as rewrapping sees it. */
export interface WrapHolder {
  /** 64 hex digits. */
  readonly id: string;
  readonly context: KmsContext;
  readonly wraps: readonly KeyringWrap[];
}

/** What to do with each key. Neither `to` nor `drop`: every wrap moves to the newest version of its own KEK. */
export interface RewrapOrder {
  /** A KEK that is to wrap each key too. */
  readonly to?: string | undefined;
  /** A KEK that is to wrap none of them. It may be gone already. */
  readonly drop?: string | undefined;
}

/**
 * The work at the key services for one key; writes nothing. What comes in is proven by unwrapping it, and nothing goes unless
 * another wrap has given the key back.
 * Throws `kms_*` with the KEK, `key_state` (a drop that would leave no wrap that opens here), `config_invalid` (unknown KEK).
 */
export async function rewrapKey(holder: WrapHolder, order: RewrapOrder, kmsByName: KmsByName): Promise<WrapEdits> {
  const work = new KeyRewrap(holder, kmsByName);
  const { to, drop } = order;
  if (to === undefined && drop === undefined) return { ...noEdits, replaced: await work.toNewestVersions() };
  const added = to === undefined ? [] : await work.under(to);
  return { ...noEdits, added, dropped: drop === undefined ? [] : await work.without(drop, added) };
}

class KeyRewrap {
  readonly #holder: WrapHolder;
  readonly #kmsByName: KmsByName;

  constructor(holder: WrapHolder, kmsByName: KmsByName) {
    this.#holder = holder;
    this.#kmsByName = kmsByName;
  }

  async toNewestVersions(): Promise<WrapEdits["replaced"]> {
    const replaced: WrapEdits["replaced"][number][] = [];
    for (const old of this.#holder.wraps) {
      const kms = this.#kmsByName.get(old.kek);
      // A recovery key's wraps have no versions, and a KEK that this configuration lacks cannot be asked.
      if (kms?.canUnwrap !== true) continue;
      const wrapped = await this.#of(old.kek, kms.rewrap(bytesOf(old), this.#holder.context));
      const fresh = { kek: old.kek, wrapped: toBase64url(wrapped) };
      await this.#prove(fresh, kms);
      replaced.push({ old, wrapped: fresh.wrapped });
    }
    return replaced;
  }

  /** The wrap under `kek`, unless there is one already. */
  async under(kek: string): Promise<readonly KeyringWrap[]> {
    if (this.#holder.wraps.some((wrap) => wrap.kek === kek)) return [];
    const kms = this.#kmsByName.get(kek);
    if (kms === undefined) throw new SealwrightError("config_invalid", { reason: "unknown KEK", kek });
    const plaintext = await this.#unwrapped();
    try {
      const wrapped = await this.#of(kek, kms.wrap(plaintext, this.#holder.context));
      const fresh = { kek, wrapped: toBase64url(wrapped) };
      // What only wraps has proven at its opening that it can be opened by its secret.
      if (kms.canUnwrap) await this.#prove(fresh, kms);
      return [fresh];
    } finally {
      plaintext.fill(0);
    }
  }

  async without(kek: string, added: readonly KeyringWrap[]): Promise<readonly DroppedWrap[]> {
    const old = this.#holder.wraps.find((wrap) => wrap.kek === kek);
    if (old === undefined) return [];
    const proven = added.find((wrap) => this.#kmsByName.get(wrap.kek)?.canUnwrap === true);
    const relying = proven ?? (await this.#firstThatOpens(this.#holder.wraps.filter((wrap) => wrap !== old)));
    return [{ old, relying }];
  }

  async #firstThatOpens(wraps: readonly KeyringWrap[]): Promise<KeyringWrap> {
    for (const { wrap, kms } of this.#askable(wraps)) {
      try {
        await this.#prove(wrap, kms);
        return wrap;
      } catch (error) {
        if (asSealwrightError(error).code === "kms_unavailable") throw error;
      }
    }
    throw keyState("no other wrap of it opens here", this.#holder);
  }

  /** The key by the first KEK that gives it; the caller zeroes it. */
  async #unwrapped(): Promise<Buffer> {
    const failures: SealwrightError[] = [];
    for (const { wrap, kms } of this.#askable(this.#holder.wraps)) {
      try {
        return await this.#opened(wrap, kms);
      } catch (error) {
        failures.push(asSealwrightError(error));
      }
    }
    throw (
      failures.find(({ code }) => code === "kms_unavailable") ??
      failures[0] ??
      keyState("no wrap of it opens here", this.#holder)
    );
  }

  #askable(wraps: readonly KeyringWrap[]): readonly { readonly wrap: KeyringWrap; readonly kms: Kms }[] {
    return wraps.flatMap((wrap) => {
      const kms = this.#kmsByName.get(wrap.kek);
      return kms?.canUnwrap === true ? [{ wrap, kms }] : [];
    });
  }

  async #prove(wrap: KeyringWrap, kms: Kms): Promise<void> {
    (await this.#opened(wrap, kms)).fill(0);
  }

  async #opened(wrap: KeyringWrap, kms: Kms): Promise<Buffer> {
    const plaintext = await this.#of(wrap.kek, kms.unwrap(bytesOf(wrap), this.#holder.context));
    if (equalBytes(keyIdOf(plaintext), Buffer.from(this.#holder.id, "hex"))) return plaintext;
    plaintext.fill(0);
    throw this.#told(new SealwrightError("kms_broken", { reason: "unwrapped to another key" }), wrap.kek);
  }

  async #of<T>(kek: string, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw this.#told(asSealwrightError(error), kek);
    }
  }

  #told(error: SealwrightError, kek: string): SealwrightError {
    return error.withFacts({ kek, keyId: this.#holder.id.slice(0, 16) });
  }
}

function bytesOf({ wrapped }: KeyringWrap): Buffer {
  return fromBase64url(wrapped) ?? Buffer.alloc(0);
}
