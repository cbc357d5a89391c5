import { expect } from "chai";
import type { DrillReport } from "../../src/keys/usage/key-drill.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { failureCode } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { unavailable } from "../rig/fake-kms.ts";
import { inlineConfig, keyringConfig, KeysRig, openWith, sealWith } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;
const t2 = { tenant: "t2", dataset: "patients" } as const;

describe("time to dark", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;
  let keys: KeyService;

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder());
    await createKeyring(office);
  });
  afterEach(() => keys.close());

  async function start(config: Partial<KeysConfig> = {}): Promise<void> {
    keys = await openKeys({ ...keyringConfig(office.store.location), ...config }, rig.ports);
    await keys.start();
    await settled();
  }
  async function addActive(tenant: string): Promise<string> {
    const { id } = await addKey(office, { use: "randomized", scope: { tenant }, spreadMs: 0 });
    await activateKey(office, id);
    return id;
  }
  const seconds = (): DrillReport["secondsToDark"] => keys.drill().secondsToDark;
  const gauge = (name: "sealwright_key_seconds_to_dark", key: string, operation: string): number | undefined =>
    rig.metrics.of(name).find(({ labels }) => labels["key"] === key.slice(0, 16) && labels["operation"] === operation)
      ?.value;

  it("counts down to the very second at which reads and writes fail", async () => {
    await addActive("t1");
    await start();
    const token = await sealWith(keys, t1);
    rig.kms.before = unavailable;
    expect(seconds()).to.deep.equal({ seal: 7200, open: 7200 });
    await rig.clock.pass(1.5 * hour);
    expect(await openWith(keys, t1, token)).to.equal('"x"');
    await settled();
    expect(keys.drill()).to.deep.include({ outage: true, secondsToDark: { seal: 1800, open: 1800 } });
    expect(keys.notes()).to.have.length(1);
    expect(keys.readiness().ready).to.equal(true);
    await rig.clock.pass(0.5 * hour - 1000);
    expect(seconds()).to.deep.equal({ seal: 1, open: 1 });
    expect(await openWith(keys, t1, token)).to.equal('"x"');
    await sealWith(keys, t1);
    await rig.clock.pass(1000);
    expect(seconds()).to.deep.equal({});
    expect(keys.drill().cold).to.deep.equal({ seal: 1, open: 1 });
    keys.measure();
    expect(rig.metrics.of("sealwright_seconds_to_dark").map(({ value }) => value)).to.deep.equal([0, 0]);
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("kms_unavailable");
    expect(await failureCode(() => sealWith(keys, t1))).to.equal("kms_unavailable");
  });

  it("begins anew when the key service is back", async () => {
    await addActive("t1");
    await start();
    rig.kms.before = unavailable;
    await rig.clock.pass(1.5 * hour);
    await sealWith(keys, t1);
    await settled();
    rig.kms.before = () => undefined;
    await rig.clock.pass(6000);
    await sealWith(keys, t1);
    await settled();
    expect(seconds()).to.deep.equal({ seal: 7200, open: 7200 });
    expect(keys.notes()).to.deep.equal([]);
  });

  it("is a gauge per key and operation, gone with the key; keys without a label are told of by none", async () => {
    const [one, other] = [await addActive("t1"), await addActive("t2")];
    await start({ cache: { age: hour, entries: 2 } });
    await sealWith(keys, t1);
    await rig.clock.pass(60_000);
    keys.measure();
    expect(gauge("sealwright_key_seconds_to_dark", one, "seal")).to.equal(7140);
    expect(gauge("sealwright_key_seconds_to_dark", one, "open")).to.equal(7140);
    // One of the two finds no room: half of the cache is kept for what is asked for.
    expect(keys.status.cachedKeys).to.be.within(1, 2);
    const total = rig.metrics.of("sealwright_seconds_to_dark").map(({ labels, value }) => [labels["operation"], value]);
    expect(total).to.deep.equal([
      ["seal", 7140],
      ["open", 7140],
    ]);
    keys.measure();
    expect(
      rig.metrics.of("sealwright_key_seconds_to_dark").filter(({ labels }) => labels["key"] === other.slice(0, 16)),
    ).to.have.length(2);
  });

  it("tells what is not in memory: it would fail from the first moment on", async () => {
    await addActive("t1");
    const cold = await addActive("t2");
    rig.kms.before = ({ context }) => ("tenant" in context && context.tenant === "t2" ? unavailable() : undefined);
    await start();
    const report = keys.drill();
    expect(report.cold).to.deep.equal({ seal: 1, open: 1 });
    expect(report.secondsToDark).to.deep.equal({ seal: 7200, open: 7200 });
    expect(report.keys.map(({ key, inMemory, opens }) => [key === cold, inMemory, opens])).to.deep.equal([
      [false, true, 7200],
      [true, false, 0],
    ]);
  });

  it("knows stand-ins: a scope goes dark with the last of its active keys", async () => {
    await addActive("t1");
    await start();
    await rig.clock.pass(0.5 * hour);
    await addActive("t1");
    await keys.refresh();
    await settled();
    expect(seconds()).to.deep.equal({ seal: 7200, open: 5400 });
  });

  it("of inline keys is what age of the key and outage budget leave", async () => {
    await start({ form: "inline", sealing: { ...inlineConfig.sealing, age: 2 * hour } });
    await sealWith(keys, t1);
    await rig.clock.pass(0.5 * hour);
    expect(seconds()).to.deep.equal({ seal: 5400, open: 5400 });
    rig.kms.before = unavailable;
    await rig.clock.pass(1.25 * hour);
    await sealWith(keys, t1);
    await settled();
    expect(seconds()).to.deep.equal({ seal: 900, open: 900 });
    await rig.clock.pass(0.25 * hour);
    expect(await failureCode(() => sealWith(keys, t1))).to.equal("kms_unavailable");
  });

  it("asks nobody and changes nothing", async () => {
    await addActive("t1");
    await start();
    const calls = rig.kms.calls.length;
    keys.drill();
    keys.measure();
    expect(rig.kms.calls).to.have.length(calls);
  });

  it("of no key in memory is nothing to drill, and no keys are no outage", async () => {
    await start();
    expect(keys.drill()).to.deep.equal({
      outage: false,
      secondsToDark: {},
      cold: { seal: 0, open: 0 },
      keys: [],
      more: 0,
    });
    expect(await failureCode(() => sealWith(keys, t2))).to.equal("no_key");
  });
});
