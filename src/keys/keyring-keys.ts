import { SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference } from "../crypto/types.ts";
import { FailureBudget } from "./failure-budget.ts";
import { KeyCache } from "./key-cache.ts";
import { sealingError } from "./key-errors.ts";
import type { KeyTools } from "./key-tools.ts";
import type { IndexedKey, KeyringIndex } from "./keyring-index.ts";
import { KeyringView } from "./keyring-view.ts";
import type { Keys, KeyScope, KeyUse, LiveKeys, OpeningKey, SealingKey } from "./keys.ts";
import type { KeysConfig } from "./keys-config.ts";
import { OverdueKeys } from "./overdue-keys.ts";
import type { TrustedKey, UnwrappedKey } from "./trusted-key.ts";

/** Of the keys that seal now, this many are unwrapped before anybody asks; of pending ones all. */
const activeAhead = 64;
const unwrapsAtOnce = 4;
/** Ahead of each of them a pause of up to twice this, so that sidecars that start together do not ask together; milliseconds. */
const meanPauseMs = 100;
/** Between two attempts to unwrap a key for which an older one stands in, milliseconds. */
const retryMs = 1000;

/** Keys of the keyring form: entries of a verified keyring, and nothing else. */
export class KeyringKeys implements LiveKeys {
  readonly cache: KeyCache;
  readonly #aheadLimit: number;
  readonly #tools: KeyTools;
  readonly #budget: FailureBudget;
  readonly #overdue: OverdueKeys;
  /** When a key that lately could not be unwrapped in the background is tried again, by its id. */
  readonly #nextTryAt = new Map<string, number>();
  #view: KeyringView | undefined;
  #ahead: Promise<void> | undefined;
  #closed = false;

  constructor(config: KeysConfig, tools: KeyTools) {
    const times = { age: config.cache.age, outageBudget: config.outageBudget };
    const troubles = ["kms_unavailable", "kms_denied", "kms_broken"] as const;
    this.cache = new KeyCache({ entries: config.cache.entries, times, troubles }, tools);
    // Half of the room at most, so that keys unwrapped ahead never push out those in use.
    this.#aheadLimit = Math.floor(config.cache.entries / 2);
    this.#tools = tools;
    this.#budget = new FailureBudget(tools.ports);
    this.#overdue = new OverdueKeys(config.sealing, tools.ports);
  }

  get index(): KeyringIndex | undefined {
    return this.#view?.index;
  }

  /**
   * From now on the entries of `index`, a verified keyring, count; what it no longer lets open is dropped from memory, what it
   * wraps anew is checked by its new wraps.
   */
  use(index: KeyringIndex): void {
    for (const [id, key] of [...this.cache.entries()]) {
      const wrapped = index.mayOpen(id) ? index.byId(id)?.wrapped : undefined;
      if (wrapped === undefined) this.cache.drop(id);
      else key.adopt(wrapped);
    }
    this.#nextTryAt.clear();
    this.#view = new KeyringView(index, {
      tools: this.#tools,
      overdue: this.#overdue,
      ready: (key) => this.cache.borrowReady(key.id),
      borrow: (key) => this.#borrow(key),
      fetchBehind: (key) => this.#fetchBehind(key),
    });
  }

  /** Forgets all keys, but not the keyring. */
  purge(): void {
    this.cache.purge();
    this.#nextTryAt.clear();
  }

  close(): void {
    this.#closed = true;
    this.cache.close();
  }

  /** Unwraps what will be wanted soon, one run at a time. Failures are left to whoever asks for the key. */
  unwrapAhead(): Promise<void> {
    this.#ahead ??= this.#unwrapWanted().finally(() => (this.#ahead = undefined));
    return this.#ahead;
  }

  async #unwrapWanted(): Promise<void> {
    const wanted = (this.index?.wantedAhead(activeAhead) ?? []).slice(0, this.#aheadLimit);
    const queue = wanted.filter(({ id }) => this.cache.peek(id) === undefined).values();
    const worker = async (): Promise<void> => {
      for (const key of queue) {
        await this.#pause();
        if (this.#closed) return;
        try {
          (await this.#borrow(key)).release();
        } catch {
          // Told by the metrics of the key service; a pending or idle key is no reason to alarm anybody.
        }
      }
    };
    await Promise.all(Array.from({ length: unwrapsAtOnce }, worker));
  }

  snapshot(): Keys {
    return this.#view ?? this;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    return this.#verified().sealer(scope, use);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    return this.#verified().opener(reference, scope);
  }

  /** A message may still ask for a key that has retired since it began: it gets it, and nobody else. */
  #borrow(key: IndexedKey): TrustedKey | Promise<TrustedKey> {
    const borrowed = this.cache.borrow(key.id, () => this.#load(key));
    if (!(borrowed instanceof Promise)) return borrowed;
    return borrowed.then((arrived) => {
      const now = this.index?.mayOpen(key.id) === true ? this.index.byId(key.id) : undefined;
      if (now === undefined) this.cache.drop(key.id);
      // Wrapped anew since it was asked for.
      else if (now !== key) arrived.adopt(now.wrapped);
      return arrived;
    });
  }

  #fetchBehind(key: IndexedKey): void {
    const now = this.#tools.ports.clock.monotonicMs();
    if (now < (this.#nextTryAt.get(key.id) ?? 0)) return;
    this.#nextTryAt.set(key.id, now + retryMs);
    Promise.resolve(this.#borrow(key)).then(
      (arrived) => arrived.release(),
      (error: unknown) => {
        const { code } = sealingError(error);
        this.#tools.ports.log.warn("data_key_unwrap_failed", { code, keyId: key.id.slice(0, 16) });
      },
    );
  }

  /** The budget is the key's own: keys here are the administrator's choice, so no tenant can spend another's. */
  #load({ id, wrapped }: IndexedKey): Promise<UnwrappedKey> {
    if (!this.#tools.unwrapper.canUnwrap(wrapped))
      return Promise.reject(new SealwrightError("kms_not_mine", { reason: "no KEK of the configuration wraps it" }));
    return this.#budget.run(id, async () => ({ ...(await this.#tools.unwrapper.unwrap(wrapped)), wrapped }));
  }

  #pause(): Promise<void> {
    const { clock, random = Math.random } = this.#tools.ports;
    const ms = random() * 2 * meanPauseMs;
    return ms < 1 ? Promise.resolve() : new Promise((resolve) => void clock.after(ms, resolve));
  }

  #verified(): KeyringView {
    if (this.#view === undefined) throw new SealwrightError("kms_unavailable", { reason: "keyring not verified yet" });
    return this.#view;
  }
}
