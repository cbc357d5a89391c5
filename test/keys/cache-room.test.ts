import { expect } from "chai";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import { addKey, createKeyring } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { failureCode } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { denied, unavailable } from "../rig/fake-kms.ts";
import { inlineConfig, keyringConfig, KeysRig, openWith, sealWith } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;

describe("keys in memory", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  const services: KeyService[] = [];

  beforeEach(() => (rig = new KeysRig()));
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close();
  });

  async function started(config: KeysConfig): Promise<KeyService> {
    const keys = await openKeys(config, rig.ports);
    services.push(keys);
    await keys.start();
    await settled();
    return keys;
  }

  it("that seal inline are never pushed out by those that values name", async () => {
    const keys = await started({ ...inlineConfig, cache: { age: hour, entries: 10 } });
    await sealWith(keys, t1);
    const other = await started(inlineConfig);
    const tokens: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      await other.purge();
      tokens.push(await sealWith(other, t1));
    }
    for (const token of tokens) await openWith(keys, t1, token);
    const calls = rig.kms.calls.length;
    await sealWith(keys, t1);
    expect(rig.kms.calls).to.have.length(calls);
  });

  it("are unwrapped ahead to one half of the room at most, pending ones first", async () => {
    const office = rig.office(folder());
    await createKeyring(office);
    for (let index = 0; index < 6; index += 1)
      await addKey(office, { use: "randomized", scope: { tenant: `t${index}` }, active: true });
    await addKey(office, { use: "randomized", scope: { tenant: "next" } });
    const keys = await started({ ...keyringConfig(office.store.location), cache: { age: hour, entries: 8 } });
    expect(keys.status.cachedKeys).to.equal(4);
    const warm = keys.drill().keys.filter(({ inMemory }) => inMemory);
    expect(warm.map(({ state }) => state).sort()).to.deep.equal(["active", "active", "active", "pending"]);
  });

  it("are unwrapped ahead, the 64 newest active ones at most", async () => {
    const office = rig.office(folder());
    await createKeyring(office);
    for (let index = 0; index < 70; index += 1)
      await addKey(office, { use: "randomized", scope: { tenant: `t${index}` }, active: true });
    const keys = await started({ ...keyringConfig(office.store.location), cache: { age: hour, entries: 1000 } });
    expect(keys.status.cachedKeys).to.equal(64);
  });

  it("are unwrapped ahead after a pause of their own each, while whoever asks for one waits for nothing", async () => {
    const office = rig.office(folder());
    await createKeyring(office);
    const scopes = Array.from({ length: 12 }, (_, index) => ({ tenant: `t${index}`, dataset: "d" }));
    for (const { tenant } of scopes) await addKey(office, { use: "randomized", scope: { tenant }, active: true });
    const keys = await openKeys(keyringConfig(office.store.location), { ...rig.ports, random: () => 0.5 });
    services.push(keys);
    await keys.start();
    await settled();
    expect(keys.status.cachedKeys).to.equal(0);
    await sealWith(keys, scopes[5]!);
    expect(keys.status.cachedKeys).to.equal(1);
    await rig.clock.pass(100);
    expect(keys.status.cachedKeys).to.be.within(4, 5);
    await rig.clock.pass(200);
    expect(keys.status.cachedKeys).to.equal(12);
    expect(rig.kms.calls.filter(({ operation }) => operation === "unwrap").length).to.be.greaterThan(12);
  });

  it("do not make the sidecar unready when the key of a value is denied, only when it cannot be asked for", async () => {
    const keys = await started(inlineConfig);
    const token = await sealWith(await started(inlineConfig), t1);
    rig.kms.before = denied;
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    expect(keys.readiness().ready).to.equal(true);
    rig.kms.before = unavailable;
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("kms_unavailable");
    expect(keys.readiness().ready).to.equal(false);
  });

  it("E-08: serve while a check goes unanswered, and end when the late answer is a refusal", async () => {
    const keys = await started(inlineConfig);
    const token = await sealWith(keys, t1);
    const going: ((refuse: boolean) => void)[] = [];
    rig.kms.before = () =>
      new Promise((resolve, reject) => {
        going.push((refuse) => (refuse ? reject(new SealwrightError("kms_denied")) : resolve()));
      });
    await rig.clock.pass(hour);
    const waiting = openWith(keys, t1, token);
    await rig.clock.pass(1000);
    expect(await waiting).to.equal('"x"');
    expect(await openWith(keys, t1, token)).to.equal('"x"');
    expect(keys.status.outage).to.equal(true);
    // Asked again and again meanwhile, it is still the one call.
    await rig.clock.pass(20_000);
    await openWith(keys, t1, token);
    await settled();
    expect(going).to.have.length(1);
    for (const answer of going.splice(0)) answer(true);
    await settled();
    rig.kms.before = denied;
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
  });

  it("stay when a check has failed, and nobody is asked again for a while", async () => {
    const keys = await started({ ...inlineConfig, outageBudget: 30_000 });
    const token = await sealWith(keys, t1);
    rig.kms.editUnwrapped = () => Buffer.alloc(32, 9);
    await rig.clock.pass(hour);
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    const calls = rig.kms.calls.length;
    for (let index = 0; index < 100; index += 1)
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    expect(rig.kms.calls).to.have.length(calls);
    rig.kms.editUnwrapped = (plaintext) => plaintext;
    await rig.clock.pass(5000);
    expect(await openWith(keys, t1, token)).to.equal('"x"');
  });
});
