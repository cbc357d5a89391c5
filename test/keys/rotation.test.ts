import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import type { KeyringEntry } from "../../src/keys/keyring/keyring-file.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  listKeys,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { replaceDeterministic } from "../../src/keys/life-cycle/replace-deterministic.ts";
import { rotateDue, rotateKeys, type RotationDone } from "../../src/keys/life-cycle/rotation.ts";
import { failureCode } from "../rig/failure-code.ts";
import { unavailable } from "../rig/fake-kms.ts";
import { KeysRig } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const minute = 60_000;
const day = 86_400_000;
const timing = { everyMs: 30 * day, spreadMs: 10 * minute };
const patients = { use: "randomized", scope: { dataset: "patients" } } as const;

describe("rotation", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder());
    await createKeyring(office);
  });

  const due = (): Promise<RotationDone> => rotateDue(office, timing, rig.labour);
  const statesById = async (): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries((await listKeys(office)).entries.map(({ id, state }) => [id, state]));
  const ids = (entries: readonly KeyringEntry[]): readonly string[] => entries.map(({ id }) => id);
  const nothing = { activated: [], closed: [], added: [] };

  it("takes a scope from one key to the next: pending, active, the old one decrypt-only, and no further", async () => {
    const old = await addKey(office, { ...patients, active: true });
    const { added } = await rotateKeys(office, { ...patients, spreadMs: timing.spreadMs }, rig.labour);
    const [fresh] = added;
    expect(added).to.have.length(1);
    expect(fresh).to.include({ state: "pending", use: "randomized" });
    await rig.clock.pass(9 * minute);
    expect(await due()).to.deep.equal(nothing);
    await rig.clock.pass(minute);
    expect(ids((await due()).activated)).to.deep.equal([fresh!.id]);
    expect(await due()).to.deep.equal(nothing);
    await rig.clock.pass(10 * minute);
    expect(ids((await due()).closed)).to.deep.equal([old.id]);
    expect(await due()).to.deep.equal(nothing);
    await rig.clock.pass(20 * day);
    expect(await due()).to.deep.equal(nothing);
    expect(await statesById()).to.deep.equal({ [old.id]: "decrypt-only", [fresh!.id]: "active" });
  });

  it("writes into notBefore since when a key is in its state", async () => {
    const old = await addKey(office, { ...patients, active: true });
    await rotateKeys(office, { ...patients, spreadMs: 0 }, rig.labour);
    await rig.clock.pass(day);
    const [fresh] = (await due()).activated;
    await rig.clock.pass(day);
    const [closed] = (await due()).closed;
    const now = rig.clock.wallMs();
    expect(Date.parse(fresh!.notBefore)).to.equal(now - day);
    expect([closed!.id, Date.parse(closed!.notBefore)]).to.deep.equal([old.id, now]);
  });

  it("gives a scope a new key when its newest is as old as rotation.every says, and one only", async () => {
    await addKey(office, { ...patients, active: true });
    await rig.clock.pass(30 * day - 1000);
    expect(await due()).to.deep.equal(nothing);
    await rig.clock.pass(1000);
    expect((await due()).added).to.have.length(1);
    expect(await due()).to.deep.equal(nothing);
  });

  it("renews nothing without rotation.every", async () => {
    await addKey(office, { ...patients, active: true });
    await rig.clock.pass(3650 * day);
    expect(await rotateDue(office, { ...timing, everyMs: undefined }, rig.labour)).to.deep.equal(nothing);
  });

  it("never touches deterministic keys by schedule", async () => {
    const exact = { use: "deterministic", scope: { dataset: "patients" } } as const;
    await addKey(office, { ...exact, active: true });
    await addKey(office, { ...exact, spreadMs: 0 });
    await rig.clock.pass(365 * day);
    expect(await due()).to.deep.equal(nothing);
  });

  it("rotates every scope in which a key seals, and none in which none does", async () => {
    await addKey(office, { ...patients, active: true });
    await addKey(office, { use: "randomized", scope: { dataset: "visits", tenant: "t1" }, active: true });
    await addKey(office, { use: "randomized", scope: { dataset: "closed" } });
    const wish = { use: "randomized", scope: "all", spreadMs: 0 } as const;
    const { added } = await rotateKeys(office, wish, rig.labour);
    expect(added.map(({ scope }) => scope.dataset).sort()).to.deep.equal(["patients", "visits"]);
    const again = await rotateKeys(office, wish, rig.labour);
    expect(again.added).to.deep.equal([]);
    expect(ids(again.waiting).toSorted()).to.deep.equal(ids(added).toSorted());
    for (const scope of [{}, { tenant: "t1" }, { dataset: "closed" }, { dataset: "patients", tenant: "t1" }])
      expect(await failureCode(() => rotateKeys(office, { ...wish, scope }, rig.labour))).to.equal("key_state");
  });

  it("waits for a key service that is away, and gives up after two minutes without an answer", async () => {
    await addKey(office, { ...patients, active: true });
    let failures = 5;
    rig.kms.before = ({ operation }) => (operation === "generate" && failures-- > 0 ? unavailable() : undefined);
    const wish = { ...patients, spreadMs: 0 };
    expect((await rotateKeys(office, wish, rig.labour)).added).to.have.length(1);
    await rig.clock.pass(minute);
    await due();
    rig.kms.before = ({ operation }) => (operation === "generate" ? unavailable() : undefined);
    expect(await failureCode(() => rotateKeys(office, wish, rig.labour))).to.equal("kms_unavailable");
  });

  it("goes on in a folder of shards where another run was interrupted", async () => {
    office = rig.office(folder(), { store: openKeyringStore(join(folder(), "ring")) });
    await createKeyring(office, 4);
    const scopes = Array.from({ length: 12 }, (_, index) => ({ dataset: `d${index}` }));
    for (const scope of scopes) await addKey(office, { use: "randomized", scope, active: true });
    await rig.clock.pass(31 * day);
    let left = 7;
    rig.kms.before = ({ context }) => {
      // The root is unwrapped once a change: after some of them nothing is answered any more.
      if ("purpose" in context && left-- <= 0) unavailable();
    };
    expect(await failureCode(due)).to.equal("kms_unavailable");
    rig.kms.before = () => undefined;
    const { entries } = await listKeys(office);
    expect(entries.length).to.be.within(13, 23);
    expect((await due()).added).to.have.length(24 - entries.length);
    expect(await due()).to.deep.equal(nothing);
  });

  it("replaces a deterministic key only when asked to, and never has two of them seal", async () => {
    const exact = { use: "deterministic", scope: { dataset: "patients" } } as const;
    const old = await addKey(office, { ...exact, active: true });
    const fresh = (await rotateKeys(office, { ...exact, spreadMs: minute }, rig.labour)).added[0]!;
    expect(await failureCode(() => replaceDeterministic(office, fresh.id))).to.equal("key_state");
    await rig.clock.pass(minute);
    expect(await failureCode(() => activateKey(office, fresh.id))).to.equal("key_state");
    await replaceDeterministic(office, fresh.id);
    expect(await statesById()).to.deep.equal({ [old.id]: "decrypt-only", [fresh.id]: "active" });
    const plain = await addKey(office, { ...patients, spreadMs: 0 });
    expect(await failureCode(() => replaceDeterministic(office, plain.id))).to.equal("key_state");
  });
});
