import { SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference } from "../crypto/types.ts";
import { openFailed, openingError, sealingError } from "./key-errors.ts";
import type { KeyTools } from "./key-tools.ts";
import { covers, type IndexedKey, type KeyringIndex } from "./keyring-index.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import { lendForOpening, LentSealingKey } from "./lent-key.ts";
import type { OverdueKeys } from "./overdue-keys.ts";
import type { TrustedKey } from "./trusted-key.ts";

/** Where a view's keys come from, the same for all generations. */
export interface ViewSource {
  readonly tools: KeyTools;
  readonly overdue: OverdueKeys;
  /** The key if nobody has to wait for it; held for the caller. */
  readonly ready: (key: IndexedKey) => TrustedKey | undefined;
  readonly borrow: (key: IndexedKey) => TrustedKey | Promise<TrustedKey>;
  /** Has the key unwrapped in the background, now and then. */
  readonly fetchBehind: (key: IndexedKey) => void;
}

/** Keys of one generation of a verified keyring: whoever holds a view sees that generation until done with it. */
export class KeyringView implements Keys {
  readonly index: KeyringIndex;
  readonly #source: ViewSource;

  constructor(index: KeyringIndex, source: ViewSource) {
    this.index = index;
    this.#source = source;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    const [newest, ...older] = this.index.active(scope, use);
    if (newest === undefined) throw new SealwrightError("no_key", { dataset: scope.dataset });
    const ready = this.#source.ready(newest);
    if (ready !== undefined) return this.#lent(ready, newest);
    // Equal strings must seal to equal values: a deterministic key has no stand-in.
    const standIns = use === "deterministic" ? [] : older;
    for (const key of standIns) {
      const standIn = this.#source.ready(key);
      if (standIn === undefined) continue;
      this.#source.fetchBehind(newest);
      return this.#lent(standIn, key, true);
    }
    return this.#firstThatUnwraps(newest, standIns);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    if (reference.form !== "keyring") throw openFailed("foreign form");
    const named = this.index.named(reference.shortId);
    if (named === undefined) throw openFailed("unknown key");
    if (named.entry.state === "retired") throw openFailed("retired key");
    // Before anything is unwrapped: the key's own context would not tell whose value names it.
    if (!covers(named.entry, scope)) throw openFailed("key of another scope");
    const { usage } = this.#source.tools;
    const key = this.#source.borrow(named);
    if (!(key instanceof Promise)) return lendForOpening(key, reference, usage);
    return key.then(
      (arrived) => lendForOpening(arrived, reference, usage),
      (error: unknown) => {
        throw openingError(error);
      },
    );
  }

  async #firstThatUnwraps(newest: IndexedKey, older: readonly IndexedKey[]): Promise<SealingKey> {
    const failures: unknown[] = [];
    for (const key of [newest, ...older]) {
      try {
        return this.#lent(await this.#source.borrow(key), key, key !== newest);
      } catch (error) {
        failures.push(error);
      }
    }
    throw sealingError(failures[0]);
  }

  #lent(key: TrustedKey, { entry, reference }: IndexedKey, standsIn = false): SealingKey {
    this.#source.overdue.look(key.dataKey, entry);
    return new LentSealingKey(key, reference, this.#source.tools.usage, standsIn);
  }
}
