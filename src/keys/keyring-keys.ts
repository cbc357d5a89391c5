import { SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference } from "../crypto/types.ts";
import type { CachedKeysGauge } from "./cached-keys-gauge.ts";
import { FailureBudget } from "./failure-budget.ts";
import { KeyCache, type UnwrappedKey } from "./key-cache.ts";
import { openFailed, openingError, sealingError } from "./key-errors.ts";
import type { KeysPorts } from "./key-service.ts";
import { covers, type IndexedKey, type KeyringIndex } from "./keyring-index.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import type { KeysConfig } from "./keys-config.ts";
import { lendForOpening, LentSealingKey } from "./lent-key.ts";
import { OverdueKeys } from "./overdue-keys.ts";
import type { TrustedKey } from "./trusted-key.ts";
import { hasKnownKek, unwrapDataKey } from "./unwrapper.ts";

/** Of the keys that seal now, this many are unwrapped before anybody asks; of pending ones all. */
const activeAhead = 64;
const unwrapsAtOnce = 4;
/** Between two attempts to unwrap a key for which an older one stands in, milliseconds. */
const pauseMs = 1000;

/** Keys of the keyring form: entries of a verified keyring, and nothing else. */
export class KeyringKeys implements Keys {
  readonly cache: KeyCache;
  readonly #aheadLimit: number;
  readonly #ports: KeysPorts;
  readonly #budget: FailureBudget;
  readonly #overdue: OverdueKeys;
  /** When a key that lately could not be unwrapped in the background is tried again, by its id. */
  readonly #nextTryAt = new Map<string, number>();
  #index: KeyringIndex | undefined;

  constructor(config: KeysConfig, ports: KeysPorts, gauge: CachedKeysGauge) {
    const times = { age: config.cache.age, outageBudget: config.outageBudget };
    this.cache = new KeyCache({ entries: config.cache.entries, times, gauge }, ports);
    // Half of the room at most, so that keys unwrapped ahead never push out those in use.
    this.#aheadLimit = Math.floor(config.cache.entries / 2);
    this.#ports = ports;
    this.#budget = new FailureBudget(ports.clock);
    this.#overdue = new OverdueKeys(config.sealing, ports);
  }

  get index(): KeyringIndex | undefined {
    return this.#index;
  }

  /** From now on the entries of `index`, a verified keyring, count; what it no longer lets open is dropped from memory. */
  use(index: KeyringIndex): void {
    for (const { id } of this.#index?.keyring.entries ?? []) if (!index.mayOpen(id)) this.cache.drop(id);
    this.#nextTryAt.clear();
    this.#index = index;
  }

  /** Unwraps what will be wanted soon. Failures are left to whoever asks for the key. */
  async unwrapAhead(): Promise<void> {
    const wanted = (this.#index?.wantedAhead(activeAhead) ?? []).slice(0, this.#aheadLimit);
    const queue = wanted.filter(({ id }) => this.cache.peek(id) === undefined).values();
    const worker = async (): Promise<void> => {
      for (const key of queue) {
        try {
          (await this.cache.borrow(key.id, () => this.#load(key))).release();
        } catch {
          // Told by the metrics of the key service; a pending or idle key is no reason to alarm anybody.
        }
      }
    };
    await Promise.all(Array.from({ length: unwrapsAtOnce }, worker));
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    const [newest, ...older] = this.#verified().active(scope, use);
    if (newest === undefined) throw new SealwrightError("no_key", { dataset: scope.dataset });
    const ready = this.cache.borrowReady(newest.id);
    if (ready !== undefined) return this.#lent(ready, newest);
    // Equal strings must seal to equal values: a deterministic key has no stand-in.
    const standIns = use === "deterministic" ? [] : older;
    for (const key of standIns) {
      const standIn = this.cache.borrowReady(key.id);
      if (standIn === undefined) continue;
      this.#unwrapBehind(newest);
      return this.#lent(standIn, key);
    }
    return this.#firstThatUnwraps(newest, standIns);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    if (reference.form !== "keyring") throw openFailed("foreign form");
    const named = this.#verified().named(reference.shortId);
    if (named === undefined) throw openFailed("unknown key");
    if (named.entry.state === "retired") throw openFailed("retired key");
    // Before anything is unwrapped: the key's own context would not tell whose value names it.
    if (!covers(named.entry, scope)) throw openFailed("key of another scope");
    const key = this.cache.borrow(named.id, () => this.#load(named));
    if (!(key instanceof Promise)) return lendForOpening(key.dataKey, reference);
    return key.then(
      ({ dataKey }) => lendForOpening(dataKey, reference),
      (error: unknown) => {
        throw openingError(error);
      },
    );
  }

  async #firstThatUnwraps(newest: IndexedKey, older: readonly IndexedKey[]): Promise<SealingKey> {
    const failures: unknown[] = [];
    for (const key of [newest, ...older]) {
      try {
        return this.#lent(await this.cache.borrow(key.id, () => this.#load(key)), key);
      } catch (error) {
        failures.push(error);
      }
    }
    throw sealingError(failures[0]);
  }

  #unwrapBehind(key: IndexedKey): void {
    const now = this.#ports.clock.monotonicMs();
    if (now < (this.#nextTryAt.get(key.id) ?? 0)) return;
    this.#nextTryAt.set(key.id, now + pauseMs);
    Promise.resolve(this.cache.borrow(key.id, () => this.#load(key))).then(
      (arrived) => arrived.release(),
      (error: unknown) => {
        const { code } = sealingError(error);
        this.#ports.log.warn("data_key_unwrap_failed", { code, keyId: key.id.slice(0, 16) });
      },
    );
  }

  /** The budget is the key's own: keys here are the administrator's choice, so no tenant can spend another's. */
  #load({ id, wrapped }: IndexedKey): Promise<UnwrappedKey> {
    if (!hasKnownKek(wrapped, this.#ports.kms))
      return Promise.reject(new SealwrightError("kms_not_mine", { reason: "no KEK of the configuration wraps it" }));
    return this.#budget.run(id, async () => ({ dataKey: await unwrapDataKey(wrapped, this.#ports.kms), wrapped }));
  }

  #lent({ dataKey }: TrustedKey, { entry, reference }: IndexedKey): SealingKey {
    this.#overdue.look(dataKey, entry);
    return new LentSealingKey(dataKey, reference);
  }

  #verified(): KeyringIndex {
    if (this.#index === undefined) throw new SealwrightError("kms_unavailable", { reason: "keyring not verified yet" });
    return this.#index;
  }
}
