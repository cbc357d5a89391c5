import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { destroyKey } from "../../src/keys/life-cycle/destroy-key.ts";
import {
  parseErasureReceipt,
  printErasureReceipt,
  type ErasureReceipt,
} from "../../src/keys/life-cycle/erasure-receipt.ts";
import { addKey, createKeyring, listKeys, type KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeyringStore } from "../../src/keys/keyring/keyring-store.ts";
import { retireKey } from "../../src/keys/life-cycle/retire-key.ts";
import { verifyReceipt } from "../../src/keys/life-cycle/verify-receipt.ts";
import { failureCode } from "../rig/failure-code.ts";
import { denied, FakeKms, unavailable } from "../rig/fake-kms.ts";
import { KeysRig, moveKey } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

describe("retiring and destroying a key", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;
  let id: string;

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder(), { kms: new Map([...rig.byName, ["spare", new FakeKms()]]), keks: ["main", "spare"] });
    await createKeyring(office);
    ({ id } = await addKey(office, { use: "randomized", scope: { dataset: "patients" } }));
    await addKey(office, { use: "randomized", scope: { dataset: "visits" } });
  });

  const entryOf = async (which = id) => (await listKeys(office)).entries.find((entry) => entry.id === which)!;
  const statuses = async (receipt: ErasureReceipt): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries((await verifyReceipt(office, receipt)).map(({ check, status }) => [check, status]));
  const good = { signature: "ok", tombstone: "ok", wraps: "ok", probe: "ok" };

  it("retires what seals no more or never did, since now, and nothing else", async () => {
    await moveKey(office, id, "active");
    expect(await failureCode(async () => retireKey(office, await entryOf()))).to.equal("key_state");
    await moveKey(office, id, "decrypt-only");
    await rig.clock.pass(5000);
    const retired = await retireKey(office, await entryOf());
    expect([retired.state, Date.parse(retired.notBefore)]).to.deep.equal(["retired", rig.clock.wallMs()]);
    expect(retired.wraps).to.have.length(2);
    expect(await failureCode(async () => retireKey(office, await entryOf()))).to.equal("key_state");
    const [other] = (await listKeys(office)).entries.filter((entry) => entry.id !== id);
    expect((await retireKey(office, other!)).state).to.equal("retired");
  });

  it("retires no key that has changed since it was looked at", async () => {
    const seen = await entryOf();
    await moveKey(office, id, "decrypt-only");
    expect(await failureCode(() => retireKey(office, seen))).to.equal("key_state");
  });

  it("destroys a retired key only: its wraps go, its entry stays, its probe opens no more", async () => {
    expect(await failureCode(() => destroyKey(office, id))).to.equal("key_state");
    await moveKey(office, id, "retired");
    const { generation } = await listKeys(office);
    const before = await entryOf();
    const receipt = await destroyKey(office, id);
    expect(receipt.probe).to.include({ before: "opened", after: "kms_not_mine" });
    expect(receipt.generation).to.deep.equal({ before: generation, after: generation + 1 });
    expect(receipt.wraps.map(({ kek }) => kek)).to.deep.equal(["main", "spare"]);
    expect(await entryOf()).to.deep.equal({ ...before, wraps: [] });
    expect(await statuses(receipt)).to.deep.equal(good);
    expect(await failureCode(() => destroyKey(office, id))).to.equal("key_state");
    for (const key of rig.kms.given) expect(key.equals(Buffer.alloc(32))).to.equal(true);
  });

  it("destroys nothing when the key cannot be shown to open before", async () => {
    await moveKey(office, id, "retired");
    const text = readFileSync(office.store.location, "utf8");
    const only = { ...office, kms: rig.byName };
    rig.kms.before = ({ context }) => ("purpose" in context ? undefined : denied());
    expect(await failureCode(() => destroyKey(only, id))).to.equal("kms_denied");
    expect(readFileSync(office.store.location, "utf8")).to.equal(text);
  });

  it("gives its receipt although the key services go dark the moment that the wraps are gone", async () => {
    await moveKey(office, id, "retired");
    const dark = new FakeKms();
    dark.before = unavailable;
    const kms = new Map(office.kms);
    const { store } = office;
    const replace: KeyringStore["replace"] = async (seen, file) => {
      await store.replace(seen, file);
      for (const name of kms.keys()) kms.set(name, dark);
    };
    const bound: KeyringStore = {
      location: store.location,
      replace,
      read: () => store.read(),
      create: (files) => store.create(files),
      exclusively: (task) => store.exclusively(task),
    };
    expect(await statuses(await destroyKey({ ...office, kms, store: bound }, id))).to.deep.equal(good);
  });

  it("prints a receipt that reads back, and reads no other text", async () => {
    await moveKey(office, id, "retired");
    const receipt = await destroyKey(office, id);
    const text = printErasureReceipt(receipt);
    expect(parseErasureReceipt(Buffer.from(text))).to.deep.equal(receipt);
    const wrong = [
      "",
      "{}",
      "[]",
      text.slice(0, -3),
      text.replace('"command"', '"Command"'),
      text.replace("{", '{"extra":1,'),
    ];
    for (const other of wrong)
      expect(await failureCode(() => parseErasureReceipt(Buffer.from(other))), other).to.equal("receipt_invalid");
  });

  it("believes no receipt that was changed, or that another root signed", async () => {
    await moveKey(office, id, "retired");
    const receipt = await destroyKey(office, id);
    const other = { ...receipt, destroyedAt: "2020-01-01T00:00:00Z" };
    expect(await statuses(other)).to.deep.equal({ ...good, signature: "not ok" });
    const foreign = { ...receipt, rootId: "0".repeat(64) };
    expect(await statuses(foreign)).to.include({ signature: "not ok" });
    const [unharmed] = (await listKeys(office)).entries.filter((entry) => entry.id !== id);
    const moved = { ...receipt, key: { ...receipt.key, id: unharmed!.id } };
    expect(await statuses(moved)).to.include({ signature: "not ok", tombstone: "not ok" });
  });

  it("finds the wraps again when an older keyring was put in place", async () => {
    await moveKey(office, id, "retired");
    const older = readFileSync(office.store.location);
    const receipt = await destroyKey(office, id);
    writeFileSync(office.store.location, older);
    expect(await statuses(receipt)).to.deep.equal({
      signature: "ok",
      tombstone: "not ok",
      wraps: "not ok",
      probe: "not ok",
    });
  });
});
