import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { editEntries } from "../../src/keys/keyring/edit-entries.ts";
import { addKey, createKeyring, listKeys, type KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { rewrapKeyring, type RewrapReport } from "../../src/keys/life-cycle/rewrap.ts";
import type { RewrapOrder } from "../../src/keys/life-cycle/rewrap-key.ts";
import { failureCode } from "../rig/failure-code.ts";
import { denied, FakeKms, unavailable } from "../rig/fake-kms.ts";
import { KeysRig, moveKey } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const patients = { use: "randomized", scope: { dataset: "patients" } } as const;
const zeroes = Buffer.alloc(32);

describe("rewrap", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let spare: FakeKms;
  let office: KeyringOffice;

  beforeEach(async () => {
    rig = new KeysRig();
    spare = new FakeKms();
    office = rig.office(folder(), { kms: new Map([...rig.byName, ["spare", spare]]) });
    await createKeyring(office);
    for (let count = 0; count < 5; count += 1) await addKey(office, patients);
  });

  const rewrap = (order: RewrapOrder & { only?: readonly string[] } = {}): Promise<RewrapReport> =>
    rewrapKeyring(office, order, rig.labour);
  const keks = async (): Promise<readonly string[]> => {
    const { root, entries } = await listKeys(office);
    return [...new Set([root, ...entries].map(({ wraps }) => wraps.map(({ kek }) => kek).join("+")))];
  };
  const only = (name: string): KeyringOffice => ({ ...office, kms: new Map([[name, office.kms.get(name)!]]) });
  const wrapsOf = async (): Promise<readonly string[]> => {
    const { root, entries } = await listKeys(office);
    return [root, ...entries].flatMap(({ wraps }) => wraps.map(({ wrapped }) => wrapped));
  };

  it("renews every wrap, the root's too, and proves each before the old one goes", async () => {
    const before = new Set(await wrapsOf());
    const ids = (await listKeys(office)).entries.map(({ id, state, notBefore }) => ({ id, state, notBefore }));
    rig.kms.calls.length = 0;
    expect(await rewrap()).to.deep.equal({ keys: 6, changedKeys: 6, replaced: 6, added: 0, dropped: 0 });
    expect(rig.kms.count("rewrap")).to.equal(6);
    const after = await wrapsOf();
    expect(after.some((wrapped) => before.has(wrapped))).to.equal(false);
    for (const wrapped of after) {
      const proven = rig.kms.calls.some(
        (call) => call.operation === "unwrap" && call.wrapped?.toString("base64url") === wrapped,
      );
      expect(proven).to.equal(true);
    }
    expect(
      (await listKeys(office)).entries.map(({ id, state, notBefore }) => ({ id, state, notBefore })),
    ).to.deep.equal(ids);
    expect(rig.kms.given.every((key) => key.equals(zeroes))).to.equal(true);
  });

  it("adds a wrap under another KEK, once; whoever has only that one reads the keyring", async () => {
    expect(await rewrap({ to: "spare" })).to.include({ changedKeys: 6, added: 6 });
    expect(await keks()).to.deep.equal(["main+spare"]);
    expect((await listKeys(only("spare"))).entries).to.have.length(5);
    const calls = spare.calls.length;
    const text = readFileSync(office.store.location, "utf8");
    expect(await rewrap({ to: "spare" })).to.include({ keys: 6, changedKeys: 0 });
    expect([spare.calls.length, readFileSync(office.store.location, "utf8")]).to.deep.equal([calls, text]);
    expect([...rig.kms.given, ...spare.given].every((key) => key.equals(zeroes))).to.equal(true);
  });

  it("moves keys from one KEK to another, and puts the office's first KEK first", async () => {
    office = { ...office, keks: ["spare", "main"] };
    await rewrap({ to: "spare" });
    expect(await keks()).to.deep.equal(["spare+main"]);
    expect(await rewrap({ drop: "main" })).to.include({ changedKeys: 6, dropped: 6 });
    expect(await keks()).to.deep.equal(["spare"]);
    expect(await rewrap({ to: "main", drop: "spare" })).to.include({ added: 6, dropped: 6 });
    expect((await listKeys(only("main"))).entries).to.have.length(5);
  });

  it("drops a KEK that is gone, and one that the configuration has no more", async () => {
    await rewrap({ to: "spare" });
    rig.kms.before = denied;
    await rewrapKeyring(only("spare"), { drop: "main" }, rig.labour);
    expect(await keks()).to.deep.equal(["spare"]);
  });

  it("never drops the last wrap, nor one beside which no other opens", async () => {
    const text = readFileSync(office.store.location, "utf8");
    expect(await failureCode(() => rewrap({ drop: "main" }))).to.equal("key_state");
    expect(readFileSync(office.store.location, "utf8")).to.equal(text);
    await rewrap({ to: "spare" });
    for (const [before, code] of [
      [denied, "key_state"],
      [unavailable, "kms_unavailable"],
    ] as const) {
      spare.before = before;
      expect(await failureCode(() => rewrap({ drop: "main" }))).to.equal(code);
    }
    spare.before = () => undefined;
    spare.editUnwrapped = () => Buffer.alloc(32, 1);
    expect(await failureCode(() => rewrap({ drop: "main" }))).to.equal("key_state");
    spare.editUnwrapped = (key) => key;
    spare.canUnwrap = false;
    expect(await failureCode(() => rewrap({ drop: "main" }))).to.equal("key_state");
    expect(await keks()).to.deep.equal(["main+spare"]);
  });

  it("wraps under a KEK that cannot unwrap here, and leaves its wraps alone afterwards", async () => {
    spare.canUnwrap = false;
    spare.before = ({ operation }) => (operation === "wrap" ? undefined : denied());
    expect(await rewrap({ to: "spare" })).to.include({ added: 6 });
    expect(await rewrap()).to.include({ replaced: 6 });
    expect(await keks()).to.deep.equal(["main+spare"]);
  });

  it("writes no wrap that does not come back as the same key", async () => {
    const text = readFileSync(office.store.location, "utf8");
    const [first] = (await listKeys(office)).entries;
    const old = new Set(await wrapsOf());
    rig.kms.editUnwrapped = (key, { wrapped }) => (old.has(wrapped!.toString("base64url")) ? key : Buffer.alloc(32, 1));
    expect(await failureCode(() => rewrap())).to.equal("kms_broken");
    expect(await failureCode(() => rewrap({ only: [first!.id] }))).to.equal("kms_broken");
    expect(readFileSync(office.store.location, "utf8")).to.equal(text);
  });

  it("rewraps only the keys it is told, by the beginning of their ids", async () => {
    const [first] = (await listKeys(office)).entries;
    expect(await rewrap({ to: "spare", only: [first!.id.slice(0, 12)] })).to.include({ keys: 1, changedKeys: 1 });
    expect((await listKeys(office)).root.wraps).to.have.length(1);
    expect(await failureCode(() => rewrap({ only: ["ffffffff"] }))).to.equal("key_state");
    expect(await failureCode(() => rewrap({ to: "absent" }))).to.equal("config_invalid");
  });

  it("keeps what others changed meanwhile: states, new keys, wraps", async () => {
    const [a, b] = (await listKeys(office)).entries;
    const elsewhere = spare.keep(Buffer.alloc(32), {}).toString("base64url");
    let once = true;
    rig.kms.before = async ({ operation, context }) => {
      if (operation !== "rewrap" || !once || "purpose" in context) return;
      once = false;
      await moveKey(office, a!.id, "active");
      await editEntries(office, ({ entries }) =>
        entries
          .filter(({ id }) => id === b!.id)
          .map((entry) => ({
            ...entry,
            wraps: [...entry.wraps.map((wrap) => ({ ...wrap })), { kek: "spare", wrapped: elsewhere }],
          })),
      );
      await addKey(office, patients);
    };
    await rewrap();
    const { entries } = await listKeys(office);
    expect(entries).to.have.length(6);
    expect(entries.find(({ id }) => id === a!.id)?.state).to.equal("active");
    expect(entries.find(({ id }) => id === b!.id)?.wraps[1]?.wrapped).to.equal(elsewhere);
  });

  it("goes on in a folder of shards where it was interrupted, and does nothing twice", async () => {
    office = { ...office, store: openKeyringStore(join(folder(), "ring")) };
    await createKeyring(office, 3);
    for (let count = 0; count < 9; count += 1) await addKey(office, patients);
    for (const stopAfter of [0, 3, 6]) {
      let left = stopAfter;
      spare.before = ({ operation }) => {
        if (operation === "wrap" && left-- <= 0) throw new SealwrightError("kms_denied", { reason: "fake" });
      };
      expect(await failureCode(() => rewrap({ to: "spare" }))).to.equal("kms_denied");
      await listKeys(office);
    }
    spare.before = () => undefined;
    await rewrap({ to: "spare", drop: "main" });
    expect(await keks()).to.deep.equal(["spare"]);
    for (const { root } of (await listKeys(office)).shards)
      expect(root.wraps.map(({ kek }) => kek)).to.deep.equal(["spare"]);
  });

  it("brings the root of every shard up, where an interrupted run changed only some", async () => {
    office = { ...office, store: openKeyringStore(join(folder(), "ring")) };
    await createKeyring(office, 3);
    const last = join(office.store.location, "shard-2.json");
    const stale = readFileSync(last);
    await rewrap({ to: "spare" });
    writeFileSync(last, stale);
    await rewrap({ to: "spare" });
    for (const { root } of (await listKeys(office)).shards) expect(root.wraps).to.have.length(2);
  });

  it("waits out a throttled key service", async () => {
    let count = 0;
    rig.kms.before = () => ((count += 1) % 3 === 0 ? unavailable() : undefined);
    await rewrap().catch(() => undefined);
    rig.kms.before = ({ operation }) => (operation === "rewrap" && (count += 1) % 3 !== 0 ? unavailable() : undefined);
    expect(await rewrap()).to.include({ changedKeys: 6 });
  });

  it("leaves destroyed keys destroyed", async () => {
    const [first] = (await listKeys(office)).entries;
    await moveKey(office, first!.id, "retired");
    await editEntries(office, ({ entries }) =>
      entries.filter(({ id }) => id === first!.id).map((entry) => ({ ...entry, wraps: [] })),
    );
    expect(await rewrap({ to: "spare" })).to.include({ keys: 5, added: 5 });
    expect((await listKeys(office)).entries.find(({ id }) => id === first!.id)?.wraps).to.deep.equal([]);
  });
});
