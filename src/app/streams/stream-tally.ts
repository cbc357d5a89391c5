import { noMetrics, type Metrics } from "../../base/metrics.ts";
import type { Binding, KeyReference, SealedValue, Sealing } from "../../crypto/types.ts";
import type { Keys, KeyScope, KeyUse, LiveKeys, OpeningKey, SealingKey } from "../../keys/keys.ts";

export interface KeyCounts {
  sealed: number;
  opened: number;
}

/** Keys that are told apart in the counts; values under further ones are counted together. */
const mostKeys = 10_000;
const others = "other";

/** What a stream has done, by key. Keys by the hex digits with which values name them. */
export class StreamTally {
  readonly keys: Map<string, KeyCounts>;
  /** Values of mapped fields that were not sealed and passed. */
  clear: number;

  constructor(before: { readonly keys: Readonly<Record<string, KeyCounts>>; readonly clear: number }) {
    this.keys = new Map(Object.entries(before.keys).map(([id, { sealed, opened }]) => [id, { sealed, opened }]));
    this.clear = before.clear;
  }

  of(reference: KeyReference): KeyCounts {
    const id = (reference.form === "inline" ? reference.id : reference.shortId).toString("hex");
    return this.#counts(this.keys.has(id) || this.keys.size < mostKeys ? id : others);
  }

  get sealed(): number {
    return [...this.keys.values()].reduce((sum, { sealed }) => sum + sealed, 0);
  }

  get opened(): number {
    return [...this.keys.values()].reduce((sum, { opened }) => sum + opened, 0);
  }

  /** The engine's counts as far as they are of interest here. */
  get metrics(): Metrics {
    const count: Metrics["count"] = (name, labels, by = labels === undefined ? 0 : 1) => {
      if (name === "sealwright_clear_values_passed_total") this.clear += by;
    };
    return { ...noMetrics, count };
  }

  #counts(id: string): KeyCounts {
    const known = this.keys.get(id);
    if (known !== undefined) return known;
    const counts = { sealed: 0, opened: 0 };
    this.keys.set(id, counts);
    return counts;
  }
}

/** Keys whose work is counted. */
export class TalliedKeys implements LiveKeys {
  readonly #keys: Keys;
  readonly #live: LiveKeys;
  readonly #tally: StreamTally;

  constructor(live: LiveKeys, tally: StreamTally, keys: Keys = live) {
    this.#live = live;
    this.#tally = tally;
    this.#keys = keys;
  }

  snapshot(): Keys {
    return new TalliedKeys(this.#live, this.#tally, this.#live.snapshot());
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    const key = this.#keys.sealer(scope, use);
    return key instanceof Promise ? key.then((arrived) => this.#sealing(arrived)) : this.#sealing(key);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    const counts = this.#tally.of(reference);
    const key = this.#keys.opener(reference, scope);
    return key instanceof Promise ? key.then((arrived) => opening(arrived, counts)) : opening(key, counts);
  }

  #sealing(key: SealingKey): SealingKey {
    const { reference, standsIn } = key;
    const counts = this.#tally.of(reference);
    return {
      reference,
      standsIn,
      seal: (sealing: Sealing) => {
        const text = key.seal(sealing);
        counts.sealed += 1;
        return text;
      },
      release: () => key.release(),
    };
  }
}

function opening(key: OpeningKey, counts: KeyCounts): OpeningKey {
  return {
    open: (value: SealedValue, binding: Binding) => {
      const plaintext = key.open(value, binding);
      counts.opened += 1;
      return plaintext;
    },
    release: () => key.release(),
  };
}
