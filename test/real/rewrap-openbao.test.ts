import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { editEntries } from "../../src/keys/keyring/edit-entries.ts";
import { createKeyring, listKeys, type KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { laboured, type Labour } from "../../src/keys/life-cycle/labour.ts";
import { mintKey } from "../../src/keys/life-cycle/new-entry.ts";
import { rewrapKeyring } from "../../src/keys/life-cycle/rewrap.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { OpenBao } from "./stage/openbao.ts";

const born = { state: "active", createdAt: "2026-01-01T00:00:00Z", notBefore: "2026-01-01T00:00:00Z" } as const;

describe("rewrap against OpenBao", () => {
  let cleanup: AsyncDisposableStack;
  let bao: OpenBao;
  let office: KeyringOffice;
  let waits: number;

  const labour: Labour = {
    parallel: 8,
    clock: systemClock,
    random: Math.random,
    progress: (_done, _total, waiting) => void (waits += waiting ? 1 : 0),
  };

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    bao = cleanup.use(await OpenBao.start());
    await bao.createKey("patients");
    const tokenFile = await bao.secretFile(bao.rootToken);
    const patience = { rate: { perSecond: 2000, burst: 200 } };
    const config = {
      provider: "vault",
      address: bao.address,
      mount: "transit",
      key: "patients",
      ca: bao.ca,
      auth: { method: "token", tokenFile },
      patience,
    } as const;
    const ports = { clock: systemClock, log: silentLog, metrics: new RecordedMetrics(), random: Math.random };
    const kms = await openKms("main", config, ports);
    cleanup.defer(() => kms.close());
    office = {
      store: openKeyringStore(join(bao.folder, "keyring.json")),
      kms: new Map([["main", kms]]),
      keks: ["main"],
      clock: systemClock,
    };
    await createKeyring(office);
    waits = 0;
  });
  afterEach(() => cleanup.disposeAsync());

  async function addKeys(count: number): Promise<void> {
    const scopes = Array.from({ length: count }, (_, index) => ({ tenant: `t${index}` }));
    const minted = await laboured(scopes, (scope) => mintKey(office, { use: "randomized", scope }), labour);
    await editEntries(office, () => minted.map((key) => ({ ...key, ...born })));
  }

  it("moves 1,000 keys and the root to the newest version, so that the older one can be forbidden", async function () {
    this.timeout(60_000);
    await addKeys(1000);
    await bao.rotateKey("patients");
    const before = process.memoryUsage().rss;
    const started = systemClock.monotonicMs();
    expect(await rewrapKeyring(office, {}, labour)).to.include({ keys: 1001, replaced: 1001 });
    const seconds = (systemClock.monotonicMs() - started) / 1000;
    const grown = (process.memoryUsage().rss - before) / 1024 ** 2;
    process.stdout.write(`      1,001 keys in ${seconds.toFixed(1)} s, memory ${grown.toFixed(0)} MiB more\n`);
    await bao.admin("POST", "transit/keys/patients/config", { min_decryption_version: 2 });
    const { entries } = await listKeys(office);
    const last = entries.at(-1);
    expect(await rewrapKeyring(office, { only: [last?.id ?? ""] }, labour)).to.include({ replaced: 1 });
  });

  it("waits where the service limits its rate, and comes to the end", async function () {
    this.timeout(60_000);
    await addKeys(100);
    await bao.rotateKey("patients");
    await bao.admin("POST", "sys/quotas/rate-limit/slow", { rate: 40, path: "transit/" });
    expect(await rewrapKeyring(office, {}, labour)).to.include({ keys: 101, replaced: 101 });
    expect(waits).to.be.greaterThan(0);
    await bao.admin("POST", "transit/keys/patients/config", { min_decryption_version: 2 });
    await bao.admin("DELETE", "sys/quotas/rate-limit/slow");
    expect((await listKeys(office)).entries).to.have.length(100);
  });
});
