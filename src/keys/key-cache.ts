import { BoundedCache } from "../base/bounded-cache.ts";
import { asSealwrightError, hasCode } from "../base/sealwright-error.ts";
import { SingleFlight } from "../base/single-flight.ts";
import type { DataKey } from "../crypto/data-key.ts";
import type { CachedKeysGauge } from "./cached-keys-gauge.ts";
import type { KeysPorts } from "./key-service.ts";
import { SharedLoads, type Loaded } from "./shared-loads.ts";
import { TrustedKey, type TrustTimes } from "./trusted-key.ts";
import { unwrapDataKey } from "./unwrapper.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/** An unwrapped key that a load brings, held once. */
export interface UnwrappedKey {
  readonly dataKey: DataKey;
  readonly wrapped: WrappedKey;
}

export interface KeyCacheSettings {
  /** Most keys in this cache. */
  readonly entries: number;
  readonly times: TrustTimes;
  /** Shared by all caches of a service. */
  readonly gauge: CachedKeysGauge;
}

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
  readonly #ports: KeysPorts;
  readonly #loads = new SharedLoads<TrustedKey>();
  readonly #checks = new SingleFlight<void>();
  #failedAt: number | undefined;
  #measured = 0;
  #closed = false;

  constructor(settings: KeyCacheSettings, ports: KeysPorts) {
    this.#keys = new BoundedCache<TrustedKey>(settings.entries, (key) => key.release());
    this.#settings = settings;
    this.#ports = ports;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The key of that name: at once when it is trusted, else once it is checked, or loaded by `load`. Throws what those throw. */
  borrow(name: string, load: () => Promise<UnwrappedKey>): TrustedKey | Promise<TrustedKey> {
    const ready = this.borrowReady(name);
    if (ready !== undefined) return ready;
    const overdue = this.#keys.get(name);
    if (overdue === undefined) return this.renew(name, load);
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
    return this.#loads.run(`load ${name}`, () => this.#watched(this.#load(name, load)));
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

  /** Drops all; what is still on its way is released when it arrives. */
  close(): void {
    this.#closed = true;
    this.#keys.clear();
    this.#measure();
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
    const value = this.#trusted(await load());
    return { value, settle: () => this.#store(name, value) };
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
      this.#ports.log.warn("data_key_check_failed", {
        code,
        keyId: key.dataKey.id.toString("hex", 0, 8),
        ...(reason === undefined ? {} : { reason }),
        ...(kek === undefined ? {} : { kek }),
      });
    });
  }

  #check(name: string, key: TrustedKey): Promise<void> {
    return this.#checks.run(name, () => this.#askAgain(name, key));
  }

  async #askAgain(name: string, key: TrustedKey): Promise<void> {
    key.retain();
    try {
      (await unwrapDataKey(key.wrapped, this.#ports.kms)).release();
      key.confirm(this.#now());
    } catch (error) {
      // A refusal ends the use at once; a service that nobody can reach or understand has refused nothing.
      if (hasCode(error, "kms_denied", "kms_not_mine")) this.#dropIfStill(name, key);
      else key.postpone(this.#now(), hasCode(error, "kms_unavailable"));
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
      if (hasCode(error, "kms_unavailable", "kms_denied", "kms_broken")) this.#failedAt = this.#now();
      throw error;
    }
  }

  #trusted({ dataKey, wrapped }: UnwrappedKey): TrustedKey {
    return new TrustedKey(dataKey, wrapped, { now: this.#now(), times: this.#settings.times });
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
    this.#settings.gauge.add(this.#keys.size - this.#measured);
    this.#measured = this.#keys.size;
  }

  #now(): number {
    return this.#ports.clock.monotonicMs();
  }
}
