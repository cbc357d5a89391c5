import { hasCode, SealwrightError } from "../base/sealwright-error.ts";
import type { InlineReference, KeyReference } from "../crypto/types.ts";
import { dataContext } from "../kms/context.ts";
import { FailureBudget } from "./failure-budget.ts";
import { InlineSealers } from "./inline-sealers.ts";
import { KeyCache } from "./key-cache.ts";
import { openFailed, openingError } from "./key-errors.ts";
import type { KeyTools } from "./key-tools.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import type { KeysConfig } from "./keys-config.ts";
import { lendForOpening } from "./lent-key.ts";
import { RefusedWraps } from "./refused-wraps.ts";
import type { TrustedKey, UnwrappedKey } from "./trusted-key.ts";
import { wrapDigest } from "./wrap-digest.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/**
 * Keys of the inline form: nothing is kept outside the values. Keys that seal and keys that a value named live in two caches;
 * a key made here may open too, never the other way round.
 */
export class InlineKeys implements Keys {
  readonly #tools: KeyTools;
  readonly #budget: FailureBudget;
  readonly #refused: RefusedWraps;
  readonly #sealers: InlineSealers;
  readonly #openers: KeyCache;
  /** Keys made here, by scope. */
  readonly sealing: KeyCache;
  /** The caches, to be watched and closed. */
  readonly caches: readonly KeyCache[];

  constructor(config: KeysConfig, tools: KeyTools) {
    this.#tools = tools;
    this.#budget = new FailureBudget(tools.ports);
    this.#refused = new RefusedWraps(tools.ports.clock);
    const times = { age: config.cache.age, outageBudget: config.outageBudget };
    // Half of the room each: values that are read cannot push out the keys that seal.
    const settings = { entries: Math.ceil(config.cache.entries / 2), times };
    this.sealing = new KeyCache({ ...settings, troubles: ["kms_unavailable", "kms_denied", "kms_broken"] }, tools);
    // A key that only a value names may be denied rightly: that is the value's trouble, not the sidecar's.
    this.#openers = new KeyCache({ ...settings, troubles: ["kms_unavailable"] }, tools);
    this.caches = [this.sealing, this.#openers];
    this.#sealers = new InlineSealers(config, tools, {
      cache: this.sealing,
      budget: this.#budget,
      onNewKey: (key) => this.#openers.put(nameOf(key.wrapped), key),
    });
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    // Each sidecar has keys of its own here: equal strings would never seal to equal values.
    if (use === "deterministic") throw new SealwrightError("no_key", { reason: "deterministic fields need a keyring" });
    return this.#sealers.borrow(scope);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    if (reference.form !== "inline") throw openFailed("foreign form");
    const kms = this.#tools.ports.kms.get(reference.kek);
    if (kms === undefined) throw openFailed("unknown KEK");
    if (!kms.canUnwrap) throw openFailed("KEK that only wraps");
    const wrapped = wrappedKeyOf(reference, scope);
    const name = nameOf(wrapped);
    if (this.#refused.has(name)) throw openFailed("refused lately");
    const key = this.#openers.borrow(name, () => this.#load(name, wrapped, scope));
    if (!(key instanceof Promise)) return lendForOpening(key, reference, this.#tools.usage);
    return key.then(
      (arrived) => lendForOpening(arrived, reference, this.#tools.usage),
      (error: unknown) => {
        throw openingError(error);
      },
    );
  }

  /** Forgets all keys, and what was refused. */
  purge(): void {
    for (const cache of this.caches) cache.purge();
    this.#refused.clear();
  }

  /** When sealing under `key` ends if from now on nobody can reach the key service. */
  darkAt(key: TrustedKey): number {
    return this.#sealers.darkAt(key);
  }

  async #load(name: string, wrapped: WrappedKey, { tenant }: KeyScope): Promise<UnwrappedKey> {
    try {
      return await this.#budget.run(`open ${tenant}`, async () => {
        const { dataKey, kek } = await this.#tools.unwrapper.unwrap(wrapped);
        return { dataKey, wrapped, kek };
      });
    } catch (error) {
      if (hasCode(error, "kms_not_mine")) this.#refused.add(name);
      throw error;
    }
  }
}

function wrappedKeyOf({ kek, wrapped }: InlineReference, scope: KeyScope): WrappedKey {
  return { wraps: [{ kek, wrapped }], context: dataContext(scope) };
}

function nameOf({ wraps, context }: WrappedKey): string {
  const [wrap] = wraps;
  if (wrap === undefined) throw new SealwrightError("internal", { reason: "no wrap" });
  return wrapDigest(wrap.kek, wrap.wrapped, context);
}
