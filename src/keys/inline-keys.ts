import { hasCode, SealwrightError } from "../base/sealwright-error.ts";
import type { InlineReference, KeyReference } from "../crypto/types.ts";
import { dataContext } from "../kms/context.ts";
import type { CachedKeysGauge } from "./cached-keys-gauge.ts";
import { FailureBudget } from "./failure-budget.ts";
import { InlineSealers } from "./inline-sealers.ts";
import { KeyCache, type UnwrappedKey } from "./key-cache.ts";
import { openFailed, openingError } from "./key-errors.ts";
import type { KeysPorts } from "./key-service.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import type { KeysConfig } from "./keys-config.ts";
import { lendForOpening } from "./lent-key.ts";
import { RefusedWraps } from "./refused-wraps.ts";
import { unwrapDataKey } from "./unwrapper.ts";
import { wrapDigest } from "./wrap-digest.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/**
 * Keys of the inline form: nothing is kept outside the values. Keys that seal and keys that a value named live in two caches;
 * a key made here may open too, never the other way round.
 */
export class InlineKeys implements Keys {
  readonly #ports: KeysPorts;
  readonly #budget: FailureBudget;
  readonly #refused: RefusedWraps;
  readonly #sealers: InlineSealers;
  readonly #openers: KeyCache;
  /** The caches, to be watched and closed. */
  readonly caches: readonly KeyCache[];

  constructor(config: KeysConfig, ports: KeysPorts, gauge: CachedKeysGauge) {
    this.#ports = ports;
    this.#budget = new FailureBudget(ports.clock);
    this.#refused = new RefusedWraps(ports.clock);
    const times = { age: config.cache.age, outageBudget: config.outageBudget };
    // Half of the room each: values that are read cannot push out the keys that seal.
    const settings = { entries: Math.ceil(config.cache.entries / 2), times, gauge };
    const sealing = new KeyCache(settings, ports);
    this.#openers = new KeyCache(settings, ports);
    this.caches = [sealing, this.#openers];
    this.#sealers = new InlineSealers(config, ports, {
      cache: sealing,
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
    if (!this.#ports.kms.has(reference.kek)) throw openFailed("unknown KEK");
    const wrapped = wrappedKeyOf(reference, scope);
    const name = nameOf(wrapped);
    if (this.#refused.has(name)) throw openFailed("refused lately");
    const key = this.#openers.borrow(name, () => this.#load(name, wrapped, scope));
    if (!(key instanceof Promise)) return lendForOpening(key.dataKey, reference);
    return key.then(
      ({ dataKey }) => lendForOpening(dataKey, reference),
      (error: unknown) => {
        throw openingError(error);
      },
    );
  }

  async #load(name: string, wrapped: WrappedKey, { tenant }: KeyScope): Promise<UnwrappedKey> {
    try {
      return await this.#budget.run(`open ${tenant}`, async () => {
        const dataKey = await unwrapDataKey(wrapped, this.#ports.kms);
        return { dataKey, wrapped };
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
