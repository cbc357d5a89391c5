import { toBase64url, fromBase64url } from "../../base/bytes.ts";
import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import type { InlineReference } from "../../crypto/types.ts";
import { dataContext, rootContext, type KmsContext } from "../../kms/context.ts";
import type { KeyScope } from "../keys.ts";
import type { WrapHolder } from "./open-wrap.ts";
import { rewrapKey } from "./rewrap-key.ts";
import type { KmsByName } from "../unwrapper.ts";
import { wrapDigest } from "../wrap-digest.ts";

/** Distinct wraps that one run remembers. */
export const mostInlineWraps = 100_000;

export interface InlineRewrapOrder {
  /** Whose data it may be: wraps are bound to tenant and dataset, which values do not tell. Tried in turn. */
  readonly scopes: readonly KeyScope[];
  /** The KEK that is to wrap the keys; absent = each its own, in its newest version. */
  readonly to?: string | undefined;
}

/** Port: gives the key part that takes another's place; a promise while a key service is asked. Throws or rejects as below. */
export interface InlineWraps {
  renewed(reference: InlineReference): InlineReference | Promise<InlineReference>;
}

/**
 * New wraps for keys of the inline form: to each old wrap exactly one, proven by opening it and comparing the key's id before it
 * is used.
 * Fails with `open_failed` for a wrap that no configured KEK opens for any of the scopes, and for a KEK that is not configured;
 * `too_many_values` beyond the bound of distinct wraps; `kms_*`.
 */
export class InlineRewrap implements InlineWraps {
  readonly #kms: KmsByName;
  readonly #order: InlineRewrapOrder;
  readonly #known = new Map<string, InlineReference | Promise<InlineReference> | SealwrightError>();
  #contexts: readonly KmsContext[];

  /** Throws `config_invalid` where `to` is not configured, or could not be opened here. */
  constructor(kms: KmsByName, order: InlineRewrapOrder) {
    this.#kms = kms;
    this.#order = order;
    this.#contexts = order.scopes.map(dataContext);
    if (order.to !== undefined && kms.get(order.to)?.canUnwrap !== true)
      throw new SealwrightError("config_invalid", { reason: "no KEK that opens here", kek: order.to });
  }

  renewed(reference: InlineReference): InlineReference | Promise<InlineReference> {
    if (reference.kek === this.#order.to) return reference;
    // The id is part of the name: a wrap must not speak for a value that claims it is another key's. Ids are of one length.
    const name = wrapDigest(reference.kek, Buffer.concat([reference.id, reference.wrapped]), rootContext);
    const known = this.#known.get(name);
    if (known instanceof SealwrightError) throw known;
    if (known !== undefined) return known;
    if (this.#known.size >= mostInlineWraps)
      throw new SealwrightError("too_many_values", { reason: `more than ${mostInlineWraps} wraps` });
    const renewing = this.#renew(reference).then(
      (fresh) => this.#keep(name, fresh),
      (error: unknown) => {
        // Only what will not change is remembered.
        if (hasCode(error, "open_failed")) this.#known.set(name, error);
        else this.#known.delete(name);
        throw error;
      },
    );
    this.#known.set(name, renewing);
    return renewing;
  }

  #keep(name: string, fresh: InlineReference): InlineReference {
    this.#known.set(name, fresh);
    return fresh;
  }

  async #renew({ id, kek, wrapped }: InlineReference): Promise<InlineReference> {
    if (!this.#kms.has(kek)) throw new SealwrightError("open_failed", { reason: "unknown KEK", kek });
    // The value's buffers are a view of the stream's.
    const owned = Buffer.from(id);
    const wraps = [{ kek, wrapped: toBase64url(wrapped) }];
    for (const context of this.#contexts) {
      const fresh = await this.#under({ id: owned.toString("hex"), context, wraps });
      if (fresh === undefined) continue;
      // Neighbours in the data mostly belong together.
      this.#contexts = [context, ...this.#contexts.filter((each) => each !== context)];
      return { form: "inline", id: owned, kek: fresh.kek, wrapped: fromBase64url(fresh.wrapped) ?? Buffer.alloc(0) };
    }
    throw new SealwrightError("open_failed", { reason: "not of this tenant and dataset, or tampered", kek });
  }

  /** `undefined` = the wrap is not of this context. */
  async #under(holder: WrapHolder): Promise<{ readonly kek: string; readonly wrapped: string } | undefined> {
    try {
      const edits = await rewrapKey(holder, { to: this.#order.to }, this.#kms);
      const [wrap] = holder.wraps;
      const [added] = edits.added;
      if (added !== undefined) return added;
      const [replaced] = edits.replaced;
      return replaced && wrap && { kek: wrap.kek, wrapped: replaced.wrapped };
    } catch (error) {
      if (hasCode(error, "kms_not_mine")) return undefined;
      if (hasCode(error, "kms_broken") && error.facts.reason === "unwrapped to another key") return undefined;
      throw error;
    }
  }
}
