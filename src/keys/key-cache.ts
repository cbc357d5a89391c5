import { BoundedCache } from "../base/bounded-cache.ts";
import type { ErrorCode } from "../base/error-table.ts";
import { asSealwrightError, hasCode, SealwrightError } from "../base/sealwright-error.ts";
import { SingleFlight } from "../base/single-flight.ts";
import type { KeyTools } from "./key-tools.ts";
import { SharedLoads, type Loaded } from "./shared-loads.ts";
import { TrustedKey, type TrustTimes, type UnwrappedKey } from "./trusted-key.ts";

export interface KeyCacheSettings {
  /** Most keys in this cache. */
  readonly entries: number;
  readonly times: TrustTimes;
  /** Failures that, met by somebody who waits, speak of the sidecar's own trouble and not of the value's that named the key. */
  readonly troubles: readonly ErrorCode[];
}

/** A check without an answer for this long counts as out of reach until the answer comes: nobody waits for it, milliseconds. */
const patienceMs = 1000;

/** For this long after a failure that made somebody wait in vain, it counts as lately. */
const troubleMs = 15_000;

/**
 * Unwrapped keys in memory: bounded, least recently used out first, zeroed when the last borrower is done. Each is trusted for
 * a time, checked ahead of its end in the background, and ended at once when the key service refuses it. What a caller gets
 * is held for it: it releases it once.
 */
export class KeyCache {
  readonly #keys: BoundedCache<TrustedKey>;
  readonly #settings: KeyCacheSettings;
  readonly #tools: KeyTools;
  readonly #loads = new SharedLoads<TrustedKey>();
  readonly #checks = new SingleFlight<void>();
  /** Checks until their answer, however late; one at a time for a key. */
  readonly #answers = new SingleFlight<void>();
  #failedAt: number | undefined;
  #measured = 0;
  #era = 0;
  #closed = false;

  constructor(settings: KeyCacheSettings, tools: KeyTools) {
    this.#keys = new BoundedCache<TrustedKey>(settings.entries, (key) => key.release());
    this.#settings = settings;
    this.#tools = tools;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Counts purges: what began before one brings nothing that is kept. */
  get era(): number {
    return this.#era;
  }

  /** The key of that name: at once when it is trusted, else once it is checked, or loaded by `load`. Throws what those throw. */
  borrow(name: string, load: () => Promise<UnwrappedKey>): TrustedKey | Promise<TrustedKey> {
    const ready = this.borrowReady(name);
    if (ready !== undefined) return ready;
    const overdue = this.#keys.get(name);
    if (overdue === undefined) return this.renew(name, load);
    // Whoever is out of reach is not asked again for every request.
    const failure = overdue.recentFailure(this.#now());
    if (failure !== undefined) return Promise.reject(failure);
    return this.#loads.run(`check ${name}`, () => this.#watched(this.#checkFirst(name, overdue)));
  }

  /** The same, only if nobody has to wait for it. */
  borrowReady(name: string): TrustedKey | undefined {
    const key = this.#keys.get(name);
    if (key === undefined) return undefined;
    const trust = key.trustAt(this.#now());
    if (trust === "check first") return undefined;
    if (trust === "use and check") this.#checkBehind(name, key);
    return key.retain();
  }

  /** The key that `load` brings, in place of the one there is. */
  renew(name: string, load: () => Promise<UnwrappedKey>): Promise<TrustedKey> {
    return this.#loads.run(`load ${this.#era} ${name}`, () => this.#watched(this.#load(name, load)));
  }

  /** Keeps a key that is in memory already; takes the caller's hold over. */
  put(name: string, key: UnwrappedKey): void {
    this.#store(name, this.#trusted(key));
  }

  /** The key as it is, not held: to look at its counters. */
  peek(name: string): TrustedKey | undefined {
    return this.#keys.get(name);
  }

  drop(name: string): void {
    this.#keys.delete(name);
    this.#measure();
  }

  /** Drops all, zeroed once the last borrower is done; what is still on its way serves those who wait for it and is not kept. */
  purge(): void {
    this.#era += 1;
    this.#keys.clear();
    this.#measure();
  }

  /** Drops all, and keeps nothing from now on. */
  close(): void {
    this.#closed = true;
    this.purge();
  }

  /** Drops what nobody could use any more whatever the key service did: idle keys would lie in memory until pushed out. */
  sweep(): void {
    const now = this.#now();
    for (const [name, key] of [...this.#keys.entries()]) if (now >= key.darkAt) this.#keys.delete(name);
    this.#measure();
  }

  /** All keys, by name. */
  entries(): IterableIterator<[string, TrustedKey]> {
    return this.#keys.entries();
  }

  /** True when callers lately waited in vain and nobody has been served by the key service since. */
  get hasFailedLately(): boolean {
    return this.#failedAt !== undefined && this.#now() - this.#failedAt < troubleMs;
  }

  /** True when some key in memory can be used without asking. */
  get hasUsableKey(): boolean {
    const now = this.#now();
    return [...this.#keys.values()].some((key) => key.trustAt(now) !== "check first");
  }

  /** True when some key is used on the outage budget. */
  get isOverdrawn(): boolean {
    const now = this.#now();
    return [...this.#keys.values()].some((key) => key.isOverdrawn(now));
  }

  async #load(name: string, load: () => Promise<UnwrappedKey>): Promise<Loaded<TrustedKey>> {
    const era = this.#era;
    const value = this.#trusted(await load());
    return { value, settle: () => (era === this.#era ? this.#store(name, value) : value.release()) };
  }

  /** An overdue key: asked for again while those who want it wait; out of reach, the outage budget may still cover it. */
  async #checkFirst(name: string, key: TrustedKey): Promise<Loaded<TrustedKey>> {
    key.retain();
    const settle = (): void => key.release();
    try {
      await this.#check(name, key);
      return { value: key, settle };
    } catch (error) {
      if (hasCode(error, "kms_unavailable") && key.trustAt(this.#now()) !== "check first")
        return { value: key, settle };
      key.release();
      throw error;
    }
  }

  #checkBehind(name: string, key: TrustedKey): void {
    this.#check(name, key).catch((error: unknown) => {
      const { code, facts } = asSealwrightError(error);
      const { reason, kek } = facts;
      this.#tools.ports.log.warn("data_key_check_failed", {
        code,
        keyId: key.dataKey.id.toString("hex", 0, 8),
        ...(reason === undefined ? {} : { reason }),
        ...(kek === undefined ? {} : { kek }),
      });
    });
  }

  /** Settles with the answer, which may yet end the key's use after this has rejected with `kms_unavailable` for its lateness. */
  #check(name: string, key: TrustedKey): Promise<void> {
    return this.#checks.run(name, () => {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const cancel = this.#tools.ports.clock.after(patienceMs, () => {
        const late = new SealwrightError("kms_unavailable", { reason: "no answer yet", kek: key.kek });
        key.postpone(this.#now(), late);
        reject(late);
      });
      this.#answers
        .run(name, () => this.#askAgain(name, key))
        .then(() => resolve(undefined), reject)
        .finally(cancel);
      return promise;
    });
  }

  async #askAgain(name: string, key: TrustedKey): Promise<void> {
    key.retain();
    try {
      const { dataKey, kek } = await this.#tools.unwrapper.unwrap(key.wrapped, key.kek);
      dataKey.release();
      key.usage.unwraps += 1;
      key.confirm(this.#now(), kek);
    } catch (error) {
      // A refusal ends the use at once; a service that nobody can reach or understand has refused nothing.
      if (hasCode(error, "kms_denied", "kms_not_mine")) this.#dropIfStill(name, key);
      else key.postpone(this.#now(), asSealwrightError(error));
      throw error;
    } finally {
      key.release();
    }
  }

  async #watched<T>(work: Promise<T>): Promise<T> {
    try {
      const answer = await work;
      this.#failedAt = undefined;
      return answer;
    } catch (error) {
      if (hasCode(error, ...this.#settings.troubles)) this.#failedAt = this.#now();
      throw error;
    }
  }

  #trusted(key: UnwrappedKey): TrustedKey {
    const usage = this.#tools.usage.of(key.dataKey.id);
    usage.unwraps += 1;
    return new TrustedKey(key, { now: this.#now(), times: this.#settings.times, usage });
  }

  #store(name: string, key: TrustedKey): void {
    if (this.#closed) key.release();
    else this.#keys.set(name, key);
    this.#measure();
  }

  #dropIfStill(name: string, key: TrustedKey): void {
    if (this.#keys.get(name) === key) this.drop(name);
  }

  #measure(): void {
    this.#tools.gauge.add(this.#keys.size - this.#measured);
    this.#measured = this.#keys.size;
  }

  #now(): number {
    return this.#tools.ports.clock.monotonicMs();
  }
}
