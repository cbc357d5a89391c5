import { toBase64url } from "../../base/bytes.ts";
import { asSealwrightError, hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import type { Kms } from "../../kms/kms.ts";
import { keyState } from "../keyring/entry-named.ts";
import { longestWrapped, type KeyringWrap } from "../keyring/keyring-file.ts";
import { openOne, openWrap, wrapBytes, type AskableWrap, type WrapHolder } from "./open-wrap.ts";
import type { KmsByName } from "../unwrapper.ts";
import { wrapsInOrder, type KekOrder } from "../wrap-order.ts";
import { noEdits, type DroppedWrap, type WrapEdits } from "./wrap-edits.ts";

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

  /** Wraps are tried as they stand. */
  get #anyOrder(): KekOrder {
    return { kms: this.#kmsByName, preferred: [] };
  }

  /** A recovery key's wraps have no versions, and a KEK that this configuration lacks cannot be asked: theirs stay. */
  async toNewestVersions(): Promise<WrapEdits["replaced"]> {
    const replaced: WrapEdits["replaced"][number][] = [];
    for (const { wrap, kms } of wrapsInOrder(this.#holder.wraps, this.#anyOrder)) {
      const fresh = await this.#asked(wrap.kek, kms.rewrap(wrapBytes(wrap), this.#holder.context));
      await this.#prove({ wrap: fresh, kms });
      replaced.push({ old: wrap, wrapped: fresh.wrapped });
    }
    return replaced;
  }

  /** The wrap under `kek`, unless there is one already. */
  async under(kek: string): Promise<readonly KeyringWrap[]> {
    if (this.#holder.wraps.some((wrap) => wrap.kek === kek)) return [];
    const kms = this.#kmsByName.get(kek);
    if (kms === undefined) throw new SealwrightError("config_invalid", { reason: "unknown KEK", kek });
    const plaintext = await openWrap(this.#holder, this.#kmsByName);
    try {
      return [await this.#wrapped(plaintext, kek, kms)];
    } finally {
      plaintext.fill(0);
    }
  }

  async without(kek: string, added: readonly KeyringWrap[]): Promise<readonly DroppedWrap[]> {
    const old = this.#holder.wraps.find((wrap) => wrap.kek === kek);
    if (old === undefined) return [];
    const proven = added.find((wrap) => this.#kmsByName.get(wrap.kek)?.canUnwrap === true);
    return [
      { old, relying: proven ?? (await this.#firstThatOpens(this.#holder.wraps.filter((wrap) => wrap !== old))) },
    ];
  }

  async #wrapped(plaintext: Buffer, kek: string, kms: Kms): Promise<KeyringWrap> {
    const fresh = await this.#asked(kek, kms.wrap(plaintext, this.#holder.context));
    // What only wraps here cannot be asked to open; it was tried with a key of its own when it was opened.
    if (kms.canUnwrap) await this.#prove({ wrap: fresh, kms });
    return fresh;
  }

  async #firstThatOpens(wraps: readonly KeyringWrap[]): Promise<KeyringWrap> {
    for (const askable of wrapsInOrder(wraps, this.#anyOrder)) {
      try {
        await this.#prove(askable);
        return askable.wrap;
      } catch (error) {
        if (hasCode(error, "kms_unavailable")) throw error;
      }
    }
    throw keyState("no other wrap of it opens here", this.#holder);
  }

  async #prove(askable: AskableWrap): Promise<void> {
    (await openOne(this.#holder, askable)).fill(0);
  }

  /** The wrap that a key service answers. */
  async #asked(kek: string, call: Promise<Buffer>): Promise<KeyringWrap> {
    const facts = { kek, keyId: this.#holder.id.slice(0, 16) };
    const wrapped = await call.catch((error: unknown) => {
      throw asSealwrightError(error).withFacts(facts);
    });
    if (wrapped.length < 1 || wrapped.length > longestWrapped)
      throw new SealwrightError("kms_broken", { reason: "wrapped key length", ...facts });
    return { kek, wrapped: toBase64url(wrapped) };
  }
}
