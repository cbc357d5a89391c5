import { expect } from "chai";
import type { InlineReference } from "../../src/crypto/types.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import type { KeyScope } from "../../src/keys/keys.ts";
import { dataContext } from "../../src/kms/context.ts";
import { failureCode, failureOf } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { denied, unavailable } from "../rig/fake-kms.ts";
import { inlineConfig, KeysRig, openWith, parsedToken, sealingOf, sealWith } from "../rig/keyring-rig.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;
const t2 = { tenant: "t2", dataset: "patients" } as const;

describe("inline keys", () => {
  let rig: KeysRig;
  let keys: KeyService;

  const opened = (config: Partial<KeysConfig> = {}): Promise<KeyService> =>
    openKeys({ ...inlineConfig, ...config }, rig.ports);
  const inlineOf = (token: string): InlineReference => parsedToken(token).key as InlineReference;
  /** A token of another sidecar: this one has to unwrap its key. */
  const foreignToken = async (scope: KeyScope = t1): Promise<string> => sealWith(await opened(), scope);

  beforeEach(async () => {
    rig = new KeysRig();
    keys = await opened();
    await keys.start();
  });

  it("seals and opens with one generate and one verify, and then without any call", async () => {
    const token = await sealWith(keys, t1, '"a"');
    expect(rig.kms.calls.map(({ operation }) => operation)).to.deep.equal(["generate", "unwrap"]);
    expect(await openWith(keys, t1, token)).to.equal('"a"');
    await sealWith(keys, t1);
    expect(rig.kms.calls).to.have.length(2);
  });

  it("answers without a promise once a key is in memory", async () => {
    const token = await sealWith(keys, t1);
    const sealer = keys.sealer(t1, "randomized");
    const opener = keys.opener(parsedToken(token).key, t1);
    expect(sealer).not.to.be.instanceOf(Promise);
    expect(opener).not.to.be.instanceOf(Promise);
    (await sealer).release();
    (await opener).release();
  });

  it("E-05: asks once however many wait for a first key: one generate, one verify", async () => {
    const waiting = Array.from({ length: 500 }, async () => keys.sealer(t1, "randomized"));
    const borrowed = await Promise.all(waiting);
    expect(rig.kms.count("generate")).to.equal(1);
    expect(rig.kms.count("unwrap")).to.equal(1);
    for (const key of borrowed) {
      key.seal(sealingOf(t1));
      key.release();
    }
  });

  it("E-05: fails all who wait, and keeps no failure", async () => {
    rig.kms.before = unavailable;
    const codes = await Promise.all(
      Array.from({ length: 500 }, () => failureCode(() => keys.sealer(t1, "randomized"))),
    );
    expect(new Set(codes)).to.deep.equal(new Set(["kms_unavailable"]));
    expect(rig.kms.calls).to.have.length(1);
    rig.kms.before = () => undefined;
    await sealWith(keys, t1);
  });

  it("asks once however many wait for a key to open", async () => {
    const token = await foreignToken();
    const before = rig.kms.calls.length;
    const opening = await Promise.all(Array.from({ length: 500 }, () => openWith(keys, t1, token)));
    expect(new Set(opening)).to.deep.equal(new Set(['"x"']));
    expect(rig.kms.calls).to.have.length(before + 1);
  });

  it("holds a key for each who waited, however small the cache", async () => {
    keys = await opened({ cache: { age: hour, entries: 1 } });
    const scopes = Array.from({ length: 20 }, (_, index) => ({ tenant: `t${index % 4}`, dataset: "d" }));
    await Promise.all(scopes.map((scope) => sealWith(keys, scope)));
    for (const scope of scopes) await openWith(keys, scope, await sealWith(keys, scope));
  });

  it("has a key of its own for every tenant and dataset, bound to exactly that", async () => {
    await sealWith(keys, t1);
    await sealWith(keys, t2);
    await sealWith(keys, { tenant: "t1", dataset: "visits" });
    const contexts = rig.kms.calls.filter(({ operation }) => operation === "generate").map(({ context }) => context);
    expect(contexts).to.deep.equal([t1, t2, { tenant: "t1", dataset: "visits" }].map((scope) => dataContext(scope)));
  });

  it("E-02: keeps scopes apart whose names would join to the same text", async () => {
    const one = inlineOf(await sealWith(keys, { tenant: "a|b", dataset: "c" }));
    const other = inlineOf(await sealWith(keys, { tenant: "a", dataset: "b|c" }));
    expect(one.id.equals(other.id)).to.equal(false);
  });

  it("E-09: gives the key service nothing but scope", async () => {
    await openWith(keys, t1, await sealWith(keys, t1, '"CANARY"'));
    for (const { context } of rig.kms.calls)
      expect(context).to.deep.equal({ sealwright: "v1", tenant: "t1", dataset: "patients" });
  });

  it("E-01: seals nothing under a key of another context", async () => {
    const first = await rig.kms.generate(dataContext(t2));
    rig.kms.editGenerated = () => ({ ...first, plaintext: Buffer.alloc(32, 1) });
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_denied");
    rig.kms.editGenerated = (key) => ({ ...key, plaintext: Buffer.alloc(32, 1) });
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_broken");
    rig.kms.editGenerated = (key) => key;
    rig.kms.editUnwrapped = () => Buffer.alloc(32, 2);
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_broken");
    rig.kms.editUnwrapped = () => Buffer.alloc(31);
    expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_broken");
  });

  it("E-01: opens nothing with a key that is not the one named, and asks no more for it", async () => {
    const token = await foreignToken();
    const { key } = parsedToken(token);
    const calls = rig.kms.calls.length;
    const lying = { ...(key as InlineReference), id: Buffer.alloc(32, 1) };
    for (let index = 0; index < 5; index += 1)
      expect(await failureCode(() => keys.opener(lying, t1))).to.equal("open_failed");
    expect(rig.kms.calls).to.have.length(calls + 1);
    // The same wrap under its true name is not the worse for it.
    expect(await openWith(keys, t1, token)).to.equal('"x"');
    expect(rig.kms.calls).to.have.length(calls + 1);
    expect(await failureCode(() => keys.opener(lying, t1))).to.equal("open_failed");
  });

  it("C-03: opens no value for another tenant or dataset", async () => {
    const token = await sealWith(keys, t1);
    expect(await failureCode(() => openWith(keys, t2, token))).to.equal("open_failed");
    expect(await failureCode(() => openWith(keys, { ...t1, dataset: "visits" }, token))).to.equal("open_failed");
  });

  it("E-03: asks nobody about a KEK that the configuration does not name, or about a foreign form", async () => {
    const reference = inlineOf(await sealWith(keys, t1));
    const calls = rig.kms.calls.length;
    for (const kek of ["other", "alias", "arn"]) {
      expect(await failureCode(() => keys.opener({ ...reference, kek }, t1))).to.equal("open_failed");
    }
    const foreign = { form: "keyring", shortId: reference.id.subarray(0, 16) } as const;
    expect(await failureCode(() => keys.opener(foreign, t1))).to.equal("open_failed");
    expect(rig.kms.calls).to.have.length(calls);
  });

  it("E-06: never seals under a key that a value named", async () => {
    const token = await foreignToken();
    await openWith(keys, t1, token);
    const own = await sealWith(keys, t1);
    expect(inlineOf(own).id.equals(inlineOf(token).id)).to.equal(false);
    expect(rig.kms.count("generate")).to.equal(2);
  });

  it("has no deterministic key", async () => {
    expect(await failureCode(() => keys.sealer(t1, "deterministic"))).to.equal("no_key");
    expect(rig.kms.calls).to.have.length(0);
  });

  for (const [code, before] of [
    ["open_failed", denied],
    ["kms_unavailable", unavailable],
  ] as const) {
    it(`opens with ${code} when the key service is ${before.name}, and seals with its own code`, async () => {
      const token = await foreignToken();
      rig.kms.before = before;
      const failure = await failureOf(() => openWith(keys, t1, token));
      expect(failure.code).to.equal(code);
      expect(failure.facts.kek).to.equal("main");
      expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal(`kms_${before.name}`);
    });
  }

  describe("garbage", () => {
    const garbage = (index: number): InlineReference => ({
      form: "inline",
      id: Buffer.alloc(32, index),
      kek: "main",
      wrapped: Buffer.from(`garbage ${index}`),
    });
    const spoil = async (from: number, count: number, scope: KeyScope = t1): Promise<void> => {
      const all = Array.from({ length: count }, (_, index) =>
        failureCode(() => keys.opener(garbage(from + index), scope)),
      );
      expect(new Set(await Promise.all(all))).to.deep.equal(new Set(["open_failed"]));
    };

    it("E-04: costs 20 calls at once and 20 a second, whether it comes at once or one by one", async () => {
      await spoil(0, 1000);
      expect(rig.kms.calls).to.have.length(20);
      await rig.clock.pass(1000);
      for (let index = 0; index < 100; index += 1) await spoil(1000 + index, 1);
      expect(rig.kms.calls).to.have.length(40);
    });

    it("E-04: is remembered for a while", async () => {
      for (let index = 0; index < 10; index += 1) await spoil(1, 5);
      expect(rig.kms.calls).to.have.length(5);
      await rig.clock.pass(31_000);
      await spoil(1, 5);
      expect(rig.kms.calls).to.have.length(10);
    });

    it("E-04: of one tenant is no harm to another, nor to its own sealing", async () => {
      const token = await foreignToken(t2);
      const own = await foreignToken(t1);
      await spoil(0, 1000);
      expect(await openWith(keys, t2, token)).to.equal('"x"');
      await sealWith(keys, t1);
      expect(await failureCode(() => openWith(keys, t1, own))).to.equal("open_failed");
      await rig.clock.pass(1000);
      expect(await openWith(keys, t1, own)).to.equal('"x"');
    });

    it("turns no good key away, however many come at once", async () => {
      const tokens = await Promise.all(Array.from({ length: 90 }, () => foreignToken()));
      keys = await opened({ cache: { age: hour, entries: 200 } });
      await Promise.all(tokens.map((token) => openWith(keys, t1, token)));
    });

    it("is not what an outage makes of keys", async () => {
      const tokens = await Promise.all(Array.from({ length: 40 }, () => foreignToken()));
      rig.kms.before = unavailable;
      for (const token of tokens)
        expect(await failureCode(() => openWith(keys, t1, token))).to.equal("kms_unavailable");
      rig.kms.before = () => undefined;
      for (const token of tokens) await openWith(keys, t1, token);
    });
  });

  it("limits the calls that fail for a tenant that may not seal", async () => {
    rig.kms.before = denied;
    const codes: string[] = [];
    for (let index = 0; index < 30; index += 1) codes.push(await failureCode(() => keys.sealer(t1, "randomized")));
    expect(codes.filter((code) => code === "kms_denied")).to.have.length(20);
    expect(codes.slice(20)).to.deep.equal(Array(10).fill("kms_limited"));
    expect(rig.kms.calls).to.have.length(20);
  });

  describe("limits of sealing", () => {
    const limited = (sealing: Partial<KeysConfig["sealing"]>): Promise<KeyService> =>
      opened({ sealing: { ...inlineConfig.sealing, ...sealing } });
    const idOf = async (): Promise<string> => inlineOf(await sealWith(keys, t1)).id.toString("hex");

    it("C-13: makes a new key after so many values, and still opens the old one's", async () => {
      keys = await limited({ values: 10 });
      const first = await sealWith(keys, t1);
      const ids = [inlineOf(first).id.toString("hex")];
      for (let index = 0; index < 25; index += 1) ids.push(await idOf());
      expect(new Set(ids).size).to.be.within(3, 4);
      for (const id of new Set(ids)) expect(ids.filter((each) => each === id).length).to.be.at.most(10);
      expect(await openWith(keys, t1, first)).to.equal('"x"');
    });

    it("C-13: makes a new key after so many bytes", async () => {
      keys = await limited({ bytes: 30 });
      const ids = new Set<string>();
      for (let index = 0; index < 30; index += 1) ids.add(await idOf());
      expect(ids.size).to.be.within(3, 4);
    });

    it("C-13: makes a new key after so long, sought ahead in the background", async () => {
      const first = await idOf();
      await rig.clock.pass(20 * hour);
      const borrowed = keys.sealer(t1, "randomized");
      (await borrowed).release();
      await settled();
      expect(rig.kms.count("generate")).to.equal(2);
      expect(await idOf()).not.to.equal(first);
    });

    it("E-10: takes no notice of the wall clock", async () => {
      const first = await idOf();
      const calls = rig.kms.calls.length;
      for (const jump of [48, -96, 48]) {
        rig.clock.jumpWall(jump * hour);
        expect(await idOf()).to.equal(first);
      }
      expect(rig.kms.calls).to.have.length(calls);
    });

    it("goes on with the old key while nobody can be reached, for the outage budget and no longer", async () => {
      keys = await limited({ values: 5 });
      const first = await idOf();
      for (let index = 0; index < 3; index += 1) await idOf();
      rig.kms.before = unavailable;
      for (let index = 0; index < 10; index += 1) expect(await idOf()).to.equal(first);
      await rig.clock.pass(hour / 2);
      expect(await idOf()).to.equal(first);
      await rig.clock.pass(hour / 2 + 1);
      expect(await failureCode(idOf)).to.equal("kms_unavailable");
      rig.kms.before = () => undefined;
      await rig.clock.pass(2000);
      expect(await idOf()).not.to.equal(first);
    });

    it("does not go on with the old key when a new one is denied", async () => {
      keys = await limited({ values: 2 });
      await idOf();
      rig.kms.before = denied;
      await idOf();
      expect(await failureCode(idOf)).to.equal("kms_denied");
    });
  });

  describe("trust in a key", () => {
    const jumpTo = async (share: number): Promise<void> => rig.clock.pass(share * hour);

    it("E-08: is renewed in the background ahead of its end, with slow answers too", async () => {
      const token = await sealWith(keys, t1);
      await jumpTo(0.95);
      const going: (() => void)[] = [];
      rig.kms.before = () => new Promise((resolve) => void going.push(resolve));
      for (let index = 0; index < 50; index += 1) {
        expect(keys.sealer(t1, "randomized")).not.to.be.instanceOf(Promise);
        expect(keys.opener(parsedToken(token).key, t1)).not.to.be.instanceOf(Promise);
      }
      expect(rig.kms.calls.length - 2).to.equal(2);
      for (const answer of going) answer();
      await settled();
      await jumpTo(0.3);
      expect(keys.sealer(t1, "randomized")).not.to.be.instanceOf(Promise);
    });

    it("ends with its age: an idle key is checked before it is used again", async () => {
      const token = await sealWith(keys, t1);
      await jumpTo(1.1);
      const waiting = Array.from({ length: 100 }, () => openWith(keys, t1, token));
      expect(new Set(await Promise.all(waiting))).to.deep.equal(new Set(['"x"']));
      expect(rig.kms.calls).to.have.length(3);
    });

    it("E-07: ends at once when a check is refused", async () => {
      const token = await sealWith(keys, t1);
      await jumpTo(0.95);
      rig.kms.before = denied;
      (await keys.sealer(t1, "randomized")).release();
      (await keys.opener(parsedToken(token).key, t1)).release();
      await settled();
      expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_denied");
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    });

    it("E-07: ends with its age at the latest, whatever happens", async () => {
      const token = await sealWith(keys, t1);
      rig.kms.before = denied;
      await jumpTo(1);
      expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_denied");
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    });

    it("outlasts its age while nobody can be reached, for the outage budget and no longer", async () => {
      const token = await sealWith(keys, t1);
      rig.kms.before = unavailable;
      for (const share of [1.1, 0.4, 0.4]) {
        await jumpTo(share);
        expect(await openWith(keys, t1, token)).to.equal('"x"');
        await sealWith(keys, t1);
        expect(keys.status.outage).to.equal(true);
        expect(keys.readiness().ready).to.equal(true);
      }
      await jumpTo(0.11);
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("kms_unavailable");
      expect(await failureCode(() => keys.sealer(t1, "randomized"))).to.equal("kms_unavailable");
      expect(keys.readiness().ready).to.equal(false);
      rig.kms.before = () => undefined;
      expect(await openWith(keys, t1, token)).to.equal('"x"');
      expect(keys.readiness().ready).to.equal(true);
    });

    it("does not outlast its age for an answer that makes no sense", async () => {
      const token = await sealWith(keys, t1);
      rig.kms.editUnwrapped = () => Buffer.alloc(32, 9);
      await jumpTo(0.95);
      expect(await openWith(keys, t1, token)).to.equal('"x"');
      await settled();
      expect(await openWith(keys, t1, token)).to.equal('"x"');
      await jumpTo(0.1);
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    });

    it("asks seldom in an outage, and ends on the first refusal in it", async () => {
      const token = await sealWith(keys, t1);
      rig.kms.before = unavailable;
      await jumpTo(1.1);
      await openWith(keys, t1, token);
      const calls = rig.kms.calls.length;
      for (let index = 0; index < 100; index += 1) await openWith(keys, t1, token);
      expect(rig.kms.calls).to.have.length(calls);
      await rig.clock.pass(5001);
      rig.kms.before = denied;
      await openWith(keys, t1, token);
      await settled();
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    });
  });

  describe("keys in memory", () => {
    const zeroes = Buffer.alloc(32);

    it("M-07: leave no bytes in what the key service gave", async () => {
      await openWith(keys, t1, await foreignToken());
      await sealWith(keys, t1);
      expect(rig.kms.given.length).to.be.greaterThan(3);
      for (const given of rig.kms.given) expect(given.equals(zeroes)).to.equal(true);
    });

    it("M-07: end when the last borrower gives back a key that the cache has dropped", async () => {
      const held = await keys.sealer(t1, "randomized");
      await keys.close();
      expect(keys.status.cachedKeys).to.equal(0);
      held.seal(sealingOf(t1));
      held.release();
      expect(await failureCode(() => held.seal(sealingOf(t1)))).to.equal("key_ended");
    });

    it("cannot be used or given back twice by one borrower", async () => {
      const one = await keys.sealer(t1, "randomized");
      const other = await keys.sealer(t1, "randomized");
      one.release();
      one.release();
      one.release();
      expect(await failureCode(() => one.seal(sealingOf(t1)))).to.equal("key_ended");
      other.seal(sealingOf(t1));
      other.release();
      await sealWith(keys, t1);
    });

    it("are never more than the cache holds", async () => {
      keys = await opened({ cache: { age: hour, entries: 10 } });
      for (let index = 0; index < 50; index += 1) await sealWith(keys, { tenant: `t${index}`, dataset: "d" });
      expect(keys.status.cachedKeys).to.equal(10);
      expect(rig.metrics.of("sealwright_data_keys_cached").at(-1)?.value).to.equal(10);
    });
  });

  describe("readiness", () => {
    it("B-15: is lost when requests wait in vain and no key is in memory, and comes back", async () => {
      expect(keys.readiness()).to.deep.equal({ ready: true, reasons: [] });
      rig.kms.before = unavailable;
      await failureCode(() => keys.sealer(t1, "randomized"));
      expect(keys.readiness().ready).to.equal(false);
      expect(keys.readiness().reasons).to.have.length(1);
      await rig.clock.pass(15_000);
      expect(keys.readiness().ready).to.equal(true);
    });

    it("is not lost for other tenants' sake when one waits in vain", async () => {
      await sealWith(keys, t1);
      rig.kms.before = unavailable;
      await failureCode(() => keys.sealer(t2, "randomized"));
      expect(keys.readiness().ready).to.equal(true);
    });
  });

  it("needs its KEK and, for a keyring, a path", async () => {
    expect(await failureCode(() => opened({ kek: "absent" }))).to.equal("config_invalid");
    expect(await failureCode(() => opened({ form: "keyring" }))).to.equal("config_invalid");
    expect(await failureCode(() => opened({ accept: ["inline", "keyring"] }))).to.equal("config_invalid");
  });
});
