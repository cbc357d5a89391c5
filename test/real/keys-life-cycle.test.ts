import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { destroyKey } from "../../src/keys/life-cycle/destroy-key.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  listKeys,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { retireKey } from "../../src/keys/life-cycle/retire-key.ts";
import { rewrapKeyring } from "../../src/keys/life-cycle/rewrap.ts";
import { rotateDue, rotateKeys } from "../../src/keys/life-cycle/rotation.ts";
import { verifyReceipt } from "../../src/keys/life-cycle/verify-receipt.ts";
import { createLocalKeyFile } from "../../src/kms/local/local.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KmsConfig } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { useTestCredentials } from "../rig/aws-credentials.ts";
import { failureCode } from "../rig/failure-code.ts";
import { keyringConfig, openWith, sealWith } from "../rig/keyring-rig.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { Moto } from "./stage/moto.ts";

const t1 = { tenant: "t1", dataset: "patients" } as const;
const labour = { parallel: 8, clock: systemClock, random: Math.random, progress: () => undefined };

/** One keyring through its life, its wraps in AWS KMS (by moto) and in a key file. */
describe("keyring life cycle with a key service", () => {
  useTestCredentials();
  let cleanup: AsyncDisposableStack;
  let office: KeyringOffice;

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const moto = cleanup.use(await Moto.start());
    const keyId = await moto.createKey();
    const keyFile = join(folder, "kek.json");
    await createLocalKeyFile(keyFile);
    const configs: Readonly<Record<string, KmsConfig>> = {
      cloud: { provider: "aws", keyId, region: "eu-west-1", endpoint: moto.endpoint },
      other: { provider: "local", keyFile },
    };
    const kms = new Map<string, Kms>();
    for (const [name, config] of Object.entries(configs)) {
      const ports = { clock: systemClock, log: silentLog, metrics: new RecordedMetrics(), random: Math.random };
      const opened = await openKms(name, config, ports);
      cleanup.defer(() => opened.close());
      kms.set(name, opened);
    }
    office = { store: openKeyringStore(join(folder, "keyring.json")), kms, keks: ["cloud"], clock: systemClock };
    await createKeyring(office);
  });
  afterEach(() => cleanup.disposeAsync());

  /** A sidecar that has these KEKs only. */
  async function sidecar(...keks: readonly string[]): Promise<KeyService> {
    const kms = new Map([...office.kms].filter(([name]) => keks.includes(name)));
    const ports = { clock: systemClock, log: silentLog, metrics: new RecordedMetrics(), kms };
    const service = await openKeys({ ...keyringConfig(office.store.location), kek: keks[0] ?? "" }, ports);
    cleanup.defer(() => service.close());
    await service.start();
    return service;
  }

  it("rewraps under the same KEK (moto knows no versions) and under another one while the data stays as it is", async () => {
    const { id } = await addKey(office, { use: "randomized", scope: {}, spreadMs: 0 });
    await activateKey(office, id);
    const token = await sealWith(await sidecar("cloud"), t1);
    expect(await rewrapKeyring(office, {}, labour)).to.include({ keys: 2, replaced: 2 });
    expect(await openWith(await sidecar("cloud"), t1, token)).to.equal('"x"');
    expect(await failureCode(() => sidecar("other"))).to.equal("kms_not_mine");
    expect(await rewrapKeyring(office, { to: "other" }, labour)).to.include({ added: 2 });
    for (const kek of ["cloud", "other"]) expect(await openWith(await sidecar(kek), t1, token)).to.equal('"x"');
    expect(await rewrapKeyring(office, { drop: "cloud" }, labour)).to.include({ dropped: 2 });
    expect(await openWith(await sidecar("other"), t1, token)).to.equal('"x"');
    expect(await failureCode(() => sidecar("cloud"))).to.equal("kms_not_mine");
  });

  it("rotates, retires and destroys; what the destroyed key sealed opens for nobody", async () => {
    const old = await addKey(office, { use: "randomized", scope: {}, active: true });
    const token = await sealWith(await sidecar("cloud"), t1);
    await rotateKeys(office, { use: "randomized", scope: {}, spreadMs: 0 }, labour);
    await rotateDue(office, { everyMs: undefined, spreadMs: 0 }, labour);
    const service = await sidecar("cloud");
    expect(await openWith(service, t1, token)).to.equal('"x"');
    const fresh = await sealWith(service, t1);
    const entry = (await listKeys(office)).entries.find(({ id }) => id === old.id);
    expect(entry?.state).to.equal("decrypt-only");
    await retireKey(office, entry!);
    const receipt = await destroyKey(office, old.id);
    const findings = await verifyReceipt(office, receipt);
    expect(findings.map(({ status }) => status)).to.deep.equal(Array(4).fill("ok"));
    const after = await sidecar("cloud");
    expect(await failureCode(() => openWith(after, t1, token))).to.equal("open_failed");
    expect(await openWith(after, t1, fresh)).to.equal('"x"');
  });
});
