import { join } from "node:path";
import { silentLog, type Log } from "../../src/base/log.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KeysPorts } from "../../src/keys/key-service.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import type { KeyringOffice } from "../../src/keys/keyring-life-cycle.ts";
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
    return { clock: this.clock, log: this.log, metrics: this.metrics, kms: this.byName };
  }

  office(folder: string, more: Partial<KeyringOffice> = {}): KeyringOffice {
    return { path: join(folder, "keyring.json"), kms: this.byName, keks: ["main"], clock: this.clock, ...more };
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
