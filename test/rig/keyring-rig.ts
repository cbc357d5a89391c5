import { join } from "node:path";
import { silentLog, type Log } from "../../src/base/log.ts";
import { parseSealedValue } from "../../src/crypto/sealed-value.ts";
import type { Binding, SealedValue, Sealing } from "../../src/crypto/types.ts";
import { editEntries } from "../../src/keys/keyring/edit-entries.ts";
import type { Keys, KeyScope } from "../../src/keys/keys.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KeysPorts } from "../../src/keys/key-service.ts";
import type { KeyState } from "../../src/keys/keyring/keyring-file.ts";
import type { Labour } from "../../src/keys/life-cycle/labour.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import type { KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeKms } from "./fake-kms.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

/** Fake clock and key service, and what the keys layer needs around them. */
export class KeysRig {
  readonly clock = new FakeClock();
  readonly kms = new FakeKms();
  readonly metrics = new RecordedMetrics();
  log: Log = silentLog;

  get byName(): ReadonlyMap<string, Kms> {
    return new Map([["main", this.kms]]);
  }

  get ports(): KeysPorts {
    return { clock: this.clock, log: this.log, metrics: this.metrics, kms: this.byName, random: () => 0 };
  }

  office(folder: string, more: Partial<KeyringOffice> = {}): KeyringOffice {
    return {
      store: openKeyringStore(join(folder, "keyring.json")),
      kms: this.byName,
      keks: ["main"],
      clock: this.clock,
      ...more,
    };
  }

  /** Work at the key service whose pauses take no time of ours. */
  get labour(): Labour {
    let paused = 0;
    const after = (ms: number, task: () => void): (() => void) => {
      paused += ms;
      setImmediate(task);
      return () => undefined;
    };
    return {
      parallel: 4,
      clock: { monotonicMs: () => paused, after },
      random: () => 0.5,
      progress: () => undefined,
    };
  }
}

const hour = 3_600_000;

export const inlineConfig: KeysConfig = {
  form: "inline",
  kek: "main",
  sealing: { age: 24 * hour, values: 1_000_000, bytes: 1_000_000_000 },
  cache: { age: hour, entries: 100 },
  outageBudget: hour,
};

export const keyringConfig = (path: string): KeysConfig => ({ ...inlineConfig, form: "keyring", keyring: path });

/** Seals `text` for `scope` with a borrowed key, which is given back. */
export async function sealWith(keys: Keys, scope: KeyScope, text = '"x"'): Promise<string> {
  const key = await keys.sealer(scope, "randomized");
  try {
    return key.seal(sealingOf(scope, text));
  } finally {
    key.release();
  }
}

/** Opens `token` for `scope` with a borrowed key, which is given back. */
export async function openWith(keys: Keys, scope: KeyScope, token: string): Promise<string> {
  const value = parsedToken(token);
  const key = await keys.opener(value.key, scope);
  try {
    return key.open(value, bindingOf(scope)).toString();
  } finally {
    key.release();
  }
}

export function sealingOf(scope: KeyScope, text = '"x"'): Sealing {
  return { suite: 1, plaintext: Buffer.from(text), rawBytes: false, binding: bindingOf(scope) };
}

export function bindingOf(scope: KeyScope): Binding {
  return { ...scope, field: "f", record: undefined };
}

export function parsedToken(token: string): SealedValue {
  const value = parseSealedValue(token);
  if (value === undefined) throw new Error("not a sealed value");
  return value;
}

const states: readonly KeyState[] = ["pending", "active", "decrypt-only", "retired"];

/** Moves one key on to a state, through those between. */
export async function moveKey(office: KeyringOffice, id: string, state: KeyState): Promise<void> {
  for (const next of states.slice(0, states.indexOf(state) + 1)) {
    await editEntries(office, ({ entries }) =>
      entries
        .filter((entry) => entry.id === id && states.indexOf(entry.state) < states.indexOf(next))
        .map((entry) => ({ ...entry, state: next })),
    );
  }
}
