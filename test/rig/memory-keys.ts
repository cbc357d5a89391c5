import { randomBytes } from "node:crypto";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { DataKey } from "../../src/crypto/data-key.ts";
import type { KeyReference, SealedValue, Sealing } from "../../src/crypto/types.ts";
import type { Keys, KeyScope, KeyUse, LiveKeys, OpeningKey, SealingKey } from "../../src/keys/keys.ts";

interface Entry {
  readonly scope: string;
  readonly use: KeyUse;
  readonly key: DataKey;
}

/** Keys in memory, one per tenant, dataset and use, for tests of what stands on the Keys port. */
export class MemoryKeys implements LiveKeys {
  readonly #entries: Entry[] = [];
  /** Borrowed and not yet released. */
  lent = 0;
  /** Calls of either method. */
  asked = 0;
  /** Answer with promises, as a cold cache does. */
  cold = false;
  /** Thrown by the next calls. */
  failure: SealwrightError | undefined;

  snapshot(): Keys {
    return this;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    return this.#answer(() => {
      const { key } = this.#entry(scope, use);
      const reference: KeyReference = { form: "keyring", shortId: key.shortId };
      return this.#lend({ reference, standsIn: false, seal: (sealing: Sealing) => key.seal(sealing, reference) });
    });
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    return this.#answer(() => {
      const entry = this.#entries.find(({ key, scope: name }) => name === nameOf(scope) && key.matches(reference));
      if (entry === undefined) throw new SealwrightError("open_failed", { reason: "unknown key" });
      return this.#lend({ open: (value: SealedValue, binding) => entry.key.open(value, binding) } satisfies Omit<
        OpeningKey,
        "release"
      >);
    });
  }

  #answer<T>(make: () => T): T | Promise<T> {
    this.asked += 1;
    if (this.failure !== undefined) {
      if (this.cold) return Promise.reject(this.failure);
      throw this.failure;
    }
    return this.cold ? Promise.resolve().then(make) : make();
  }

  #lend<K extends object>(key: K): K & { release(): void } {
    this.lent += 1;
    return { ...key, release: () => void (this.lent -= 1) };
  }

  #entry(scope: KeyScope, use: KeyUse): Entry {
    const name = nameOf(scope);
    const known = this.#entries.find((entry) => entry.scope === name && entry.use === use);
    if (known !== undefined) return known;
    const entry = { scope: name, use, key: DataKey.fromBytes(randomBytes(32)) };
    this.#entries.push(entry);
    return entry;
  }
}

const nameOf = (scope: KeyScope): string => JSON.stringify([scope.tenant, scope.dataset]);
