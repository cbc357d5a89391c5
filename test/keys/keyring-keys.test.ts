import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { openKeys } from "../../src/keys/open-keys.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  type KeyringOffice,
  type NewKey,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeyState } from "../../src/keys/keyring/keyring-file.ts";
import type { KeyringReference } from "../../src/crypto/types.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import { failureCode } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { denied, unavailable } from "../rig/fake-kms.ts";
import { inlineConfig, keyringConfig, KeysRig, moveKey, openWith, parsedToken, sealWith } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;
const t2 = { tenant: "t2", dataset: "patients" } as const;
const lookMs = 10_000;

describe("keyring keys", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;
  const services: KeyService[] = [];

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder());
    await createKeyring(office);
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close();
  });

  async function started(config: Partial<KeysConfig> = {}): Promise<KeyService> {
    const keys = await openKeys({ ...keyringConfig(office.store.location), ...config }, rig.ports);
    services.push(keys);
    await keys.start();
    await settled();
    return keys;
  }

  const add = (scope: NewKey["scope"], more: Partial<NewKey> = {}): Promise<string> =>
    addKey(office, { use: "randomized", scope, ...more }).then(({ id }) => id);
  const addActive = async (scope: NewKey["scope"]): Promise<string> => {
    const id = await add(scope, { spreadMs: 0 });
    await activateKey(office, id);
    return id;
  };
  const setState = (id: string, state: KeyState): Promise<void> => moveKey(office, id, state);
  const sealedUnder = async (keys: KeyService, scope = t1 as { tenant: string; dataset: string }): Promise<string> =>
    shortIdOf(await sealWith(keys, scope));
  const shortIdOf = (token: string): string => (parsedToken(token).key as KeyringReference).shortId.toString("hex");
  const short = (id: string): string => id.slice(0, 32);
  /** Each service looks at the file once more, and is done with it. */
  const lookAgain = async (): Promise<void> => {
    await rig.clock.pass(lookMs);
    await Promise.all(services.map((service) => service.refresh()));
    await settled();
  };
  const unwraps = (): number => rig.kms.count("unwrap");

  it("seals and opens, answering without a promise once unwrapped", async () => {
    await addActive({});
    const keys = await started();
    const token = await sealWith(keys, t1, '"a"');
    expect(await openWith(keys, t1, token)).to.equal('"a"');
    expect(keys.sealer(t1, "randomized")).not.to.be.instanceOf(Promise);
    expect(keys.opener(parsedToken(token).key, t1)).not.to.be.instanceOf(Promise);
  });

  it("E-05: unwraps a key once however many wait for it", async () => {
    await addActive({ tenant: "t1" });
    const keys = await started({ cache: { age: hour, entries: 1 } });
    await rig.clock.pass(hour);
    const before = unwraps();
    const tokens = await Promise.all(Array.from({ length: 500 }, () => sealWith(keys, t1)));
    expect(unwraps()).to.equal(before + 1);
    expect(new Set(tokens.map(shortIdOf)).size).to.equal(1);
    expect(rig.kms.count("generate")).to.equal(2);
  });

  it("E-05: fails all who wait, and keeps no failure", async () => {
    await addActive({});
    rig.kms.before = ({ context }) => ("purpose" in context ? undefined : unavailable());
    const keys = await started();
    const before = unwraps();
    const codes = await Promise.all(Array.from({ length: 500 }, () => failureCode(() => sealWith(keys, t1))));
    expect(new Set(codes)).to.deep.equal(new Set(["kms_unavailable"]));
    expect(unwraps()).to.equal(before + 1);
    expect(keys.readiness().ready).to.equal(false);
    rig.kms.before = () => undefined;
    await sealWith(keys, t1);
    expect(keys.readiness().ready).to.equal(true);
  });

  it("seals under the most specific scope that has an active key: a tenant's before a dataset's", async () => {
    const all = await addActive({});
    const dataset = await addActive({ dataset: "patients" });
    const tenant = await addActive({ tenant: "t1" });
    const both = await addActive({ tenant: "t1", dataset: "patients" });
    await add({ tenant: "t2", dataset: "patients" });
    const keys = await started();
    expect(await sealedUnder(keys, t1)).to.equal(short(both));
    expect(await sealedUnder(keys, { tenant: "t1", dataset: "visits" })).to.equal(short(tenant));
    expect(await sealedUnder(keys, t2)).to.equal(short(dataset));
    expect(await sealedUnder(keys, { tenant: "t2", dataset: "visits" })).to.equal(short(all));
  });

  it("has no key where no active one covers scope and use", async () => {
    await add({});
    await addActive({ tenant: "t2" });
    const keys = await started();
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("no_key");
    expect(await failureCode(() => keys.sealer(t2, "deterministic"))).to.equal("no_key");
  });

  it("seals under the newest active key, also where an older one was made under a clock that ran ahead", async () => {
    rig.clock.jumpWall(86_400_000);
    await addActive({});
    rig.clock.jumpWall(-86_400_000);
    const sameSecond = [await addActive({}), await addActive({})];
    let keys = await started();
    expect(await sealedUnder(keys)).to.equal(short(sameSecond[1]!));
    await rig.clock.pass(1000);
    const late = await addActive({});
    keys = await started();
    expect(await sealedUnder(keys)).to.equal(short(late));
  });

  it("seals under the newest active key already unwrapped while the newest of all cannot be had", async () => {
    const older = await addActive({});
    const keys = await started();
    await sealWith(keys, t1);
    await rig.clock.pass(1000);
    const newest = await addActive({});
    rig.kms.before = ({ context }) => ("purpose" in context ? undefined : unavailable());
    await lookAgain();
    expect(await sealedUnder(keys)).to.equal(short(older));
    const calls = rig.kms.calls.length;
    for (let index = 0; index < 50; index += 1) await sealWith(keys, t1);
    expect(rig.kms.calls.length - calls).to.be.at.most(1);
    rig.kms.before = () => undefined;
    await rig.clock.pass(1001);
    expect(await sealedUnder(keys)).to.equal(short(older));
    await settled();
    expect(await sealedUnder(keys)).to.equal(short(newest));
  });

  it("has no stand-in for a deterministic key", async () => {
    await addKey(office, { use: "deterministic", scope: {}, active: true });
    const keys = await started();
    rig.kms.before = denied;
    await rig.clock.pass(hour);
    expect(await failureCode(() => keys.sealer(t1, "deterministic"))).to.equal("kms_denied");
  });

  it("opens by state: pending, active and decrypt-only keys do, retired ones cost no call", async () => {
    const id = await add({}, { spreadMs: 0 });
    const pending = readFileSync(office.store.location);
    await activateKey(office, id);
    const active = readFileSync(office.store.location);
    const token = await sealWith(await started(), t1);
    writeFileSync(office.store.location, pending);
    const early = await started();
    expect(await openWith(early, t1, token)).to.equal('"x"');
    expect(await failureCode(() => early.sealer(t1, "randomized"))).to.equal("no_key");
    writeFileSync(office.store.location, active);
    const keys = await started();
    expect(await openWith(keys, t1, token)).to.equal('"x"');
    await setState(id, "decrypt-only");
    await lookAgain();
    expect(await openWith(keys, t1, token)).to.equal('"x"');
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("no_key");
    await setState(id, "retired");
    await lookAgain();
    const calls = rig.kms.calls.length;
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    expect(rig.kms.calls).to.have.length(calls);
    expect(keys.status.cachedKeys).to.equal(0);
  });

  it("unwraps pending keys ahead, again and again until it can", async () => {
    const keys = await started();
    expect(keys.status.cachedKeys).to.equal(0);
    await add({ tenant: "t1" });
    rig.kms.before = ({ context }) => ("purpose" in context ? undefined : unavailable());
    await lookAgain();
    expect(keys.status.cachedKeys).to.equal(0);
    rig.kms.before = () => undefined;
    await lookAgain();
    expect(keys.status.cachedKeys).to.equal(1);
  });

  it("C-03: opens no value under a key of another tenant or dataset, and asks nobody about it", async () => {
    await addActive({ tenant: "t1", dataset: "patients" });
    const keys = await started();
    const token = await sealWith(keys, t1);
    const calls = rig.kms.calls.length;
    expect(await failureCode(() => openWith(keys, t2, token))).to.equal("open_failed");
    expect(await failureCode(() => openWith(keys, { ...t1, dataset: "visits" }, token))).to.equal("open_failed");
    const unknown = { form: "keyring", shortId: Buffer.alloc(16) } as const;
    expect(await failureCode(() => keys.opener(unknown, t1))).to.equal("open_failed");
    expect(rig.kms.calls).to.have.length(calls);
  });

  it("opens inline values only where they are accepted", async () => {
    await addActive({});
    const inline = await openKeys(inlineConfig, rig.ports);
    const token = await sealWith(inline, t1);
    const keys = await started();
    const calls = rig.kms.calls.length;
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    expect(rig.kms.calls).to.have.length(calls);
    const both = await started({ accept: ["keyring", "inline"] });
    expect(await openWith(both, t1, token)).to.equal('"x"');
    expect(parsedToken(await sealWith(both, t1)).key.form).to.equal("keyring");
  });

  it("E-01: uses no key but the one that the id commits to", async () => {
    await addActive({});
    rig.kms.editUnwrapped = (plaintext, { context }) => ("purpose" in context ? plaintext : Buffer.alloc(32, 3));
    const keys = await started();
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_broken");
    const reference = { form: "keyring", shortId: Buffer.from(short(await theOnlyId()), "hex") } as const;
    expect(await failureCode(() => keys.opener(reference, t1))).to.equal("open_failed");
  });

  const theOnlyId = (): Promise<string> =>
    Promise.resolve(
      (JSON.parse(readFileSync(office.store.location, "utf8")) as { entries: { id: string }[] }).entries[0]!.id,
    );

  it("E-07: loses a key at once when a check of it is denied", async () => {
    await addActive({});
    const keys = await started();
    const token = await sealWith(keys, t1);
    await rig.clock.pass(0.95 * hour);
    rig.kms.before = denied;
    await openWith(keys, t1, token);
    await settled();
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_denied");
  });

  it("limits the calls that fail for one key", async () => {
    await addActive({});
    rig.kms.before = ({ context }) => ("purpose" in context ? undefined : denied());
    const keys = await started();
    const calls = rig.kms.calls.length;
    const codes: string[] = [];
    for (let index = 0; index < 30; index += 1) codes.push(await failureCode(() => keys.sealer(t1, "randomized")));
    expect(rig.kms.calls.length - calls).to.be.at.most(20);
    expect(codes.at(-1)).to.equal("kms_limited");
  });

  it("tells of a key that seals beyond its limits, and seals on", async () => {
    await addActive({});
    const keys = await started({ sealing: { ...inlineConfig.sealing, values: 3 } });
    for (let index = 0; index < 10; index += 1) await sealWith(keys, t1);
    const told = rig.metrics.of("sealwright_data_key_overdue_total").map(({ labels }) => labels);
    expect(told).to.deep.equal([{ limit: "values" }]);
  });

  describe("at start", () => {
    it("reject everything that is wrong with the file", async () => {
      const good = readFileSync(office.store.location, "utf8");
      expect(await failureCode(() => started({ rootId: "0".repeat(64) }))).to.equal("keyring_forged");
      expect(await failureCode(() => started({ keyring: `${office.store.location}.absent` }))).to.equal(
        "file_unreadable",
      );
      for (const [text, code] of [
        [good.replace('"generation": 1', '"generation": 7'), "keyring_forged"],
        [good.slice(1), "keyring_invalid"],
      ] as const) {
        writeFileSync(office.store.location, text);
        expect(await failureCode(() => started())).to.equal(code);
      }
      writeFileSync(office.store.location, good);
      rig.kms.before = denied;
      expect(await failureCode(() => started())).to.equal("kms_denied");
    });

    it("wait, not ready, for a key service out of reach", async () => {
      await addActive({});
      rig.kms.before = unavailable;
      const keys = await started();
      expect(keys.readiness().ready).to.equal(false);
      expect(keys.status).to.include({ reloadFailure: "kms_unavailable" });
      expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_unavailable");
      rig.kms.before = () => undefined;
      await lookAgain();
      expect(keys.readiness()).to.deep.equal({ ready: true, reasons: [] });
      expect(keys.status.reloadFailure).to.equal(undefined);
      await sealWith(keys, t1);
    });
  });

  it("follow the file: a new key seals once it is active", async () => {
    const first = await addActive({});
    const keys = await started();
    expect(keys.status.keyring).to.include({ generation: 3, entries: 1 });
    await rig.clock.pass(1000);
    const second = await add({}, { spreadMs: 0 });
    await lookAgain();
    expect(await sealedUnder(keys)).to.equal(short(first));
    await activateKey(office, second);
    await lookAgain();
    expect(await sealedUnder(keys)).to.equal(short(second));
    expect(keys.status.keyring).to.include({ generation: 5, entries: 2 });
  });

  it("stay with the verified keyring when the file goes bad, old or away", async () => {
    const id = await addActive({});
    const old = readFileSync(office.store.location, "utf8");
    await add({ tenant: "t9" });
    const keys = await started();
    const good = readFileSync(office.store.location, "utf8");
    for (const [text, code] of [
      [old, "keyring_stale"],
      [good.replace('"active"', '"retired"'), "keyring_forged"],
      ["half a fi", "keyring_invalid"],
    ] as const) {
      writeFileSync(office.store.location, text);
      await lookAgain();
      expect(keys.status.reloadFailure).to.equal(code);
      expect(keys.readiness().ready).to.equal(true);
      expect(await sealedUnder(keys)).to.equal(short(id));
    }
    writeFileSync(office.store.location, good);
    await lookAgain();
    expect(keys.status.reloadFailure).to.equal(undefined);
  });

  it("stop looking when closed", async () => {
    const keys = await started();
    await keys.close();
    expect(rig.clock.pendingTimers).to.equal(0);
  });
});
