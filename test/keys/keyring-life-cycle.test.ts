import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  listKeys,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import { failureCode } from "../rig/failure-code.ts";
import { denied, FakeKms } from "../rig/fake-kms.ts";
import { KeysRig } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const patients = { use: "randomized", scope: { dataset: "patients" } } as const;
const zeroes = Buffer.alloc(32);

describe("keyring life cycle", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;

  beforeEach(() => {
    rig = new KeysRig();
    office = rig.office(folder());
  });

  const textOf = (path = office.store.location): string => readFileSync(path, "utf8");

  it("begins with a proven root of its own context and no entry", async () => {
    const { rootId } = await createKeyring(office);
    expect(rig.kms.calls.map(({ operation, context }) => ({ operation, context }))).to.deep.equal([
      { operation: "generate", context: rootContext },
      { operation: "unwrap", context: rootContext },
    ]);
    const keyring = await listKeys({ ...office, rootId });
    expect(keyring.entries).to.deep.equal([]);
    expect(keyring.generation).to.equal(1);
    expect(keyring.root.id).to.equal(rootId);
    expect(statSync(office.store.location).mode & 0o777).to.equal(0o600);
  });

  it("never begins over a keyring", async () => {
    await createKeyring(office);
    const before = textOf();
    expect(await failureCode(() => createKeyring(office))).to.equal("file_exists");
    expect(textOf()).to.equal(before);
  });

  it("adds a key as pending, proven under its own context, in the next generation", async () => {
    await createKeyring(office);
    const entry = await addKey(office, { use: "randomized", scope: { tenant: "t1", dataset: "patients" } });
    expect(entry).to.include({ state: "pending", use: "randomized" });
    expect(entry.scope).to.deep.equal({ tenant: "t1", dataset: "patients" });
    expect(Date.parse(entry.notBefore)).to.equal(Date.parse(entry.createdAt) + 600_000);
    const contexts = rig.kms.calls.slice(-2).map(({ context }) => context);
    expect(contexts).to.deep.equal(Array(2).fill(dataContext({ tenant: "t1", dataset: "patients" })));
    const keyring = await listKeys(office);
    expect(keyring.entries).to.deep.equal([entry]);
    expect(keyring.generation).to.equal(2);
  });

  it("makes no keyring where one is pinned, be it there or lost", async () => {
    const { rootId } = await createKeyring(office);
    const before = textOf();
    expect(await failureCode(() => createKeyring({ ...office, rootId }))).to.equal("config_invalid");
    expect(textOf()).to.equal(before);
    rmSync(join(folder(), "keyring.json"));
    const asked = rig.kms.calls.length;
    expect(await failureCode(() => createKeyring({ ...office, rootId }))).to.equal("config_invalid");
    expect([readdirSync(folder()), rig.kms.calls.length]).to.deep.equal([[], asked]);
    for (const change of [listKeys(office), addKey(office, patients)])
      expect(await failureCode(() => change)).to.equal("file_unreadable");
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it("M-07: zeroes every key it was given", async () => {
    await createKeyring(office);
    await addKey(office, patients);
    expect(rig.kms.given.length).to.be.greaterThan(4);
    for (const key of rig.kms.given) expect(key.equals(zeroes)).to.equal(true);
  });

  it("writes no key that does not come back", async () => {
    await createKeyring(office);
    const before = textOf();
    rig.kms.editUnwrapped = (plaintext, { context }) => ("dataset" in context ? Buffer.alloc(32, 1) : plaintext);
    expect(await failureCode(() => addKey(office, patients))).to.equal("kms_broken");
    rig.kms.editUnwrapped = (plaintext) => plaintext;
    rig.kms.editGenerated = (key) => ({ ...key, wrapped: Buffer.alloc(65_536) });
    expect(await failureCode(() => addKey(office, patients))).to.equal("kms_broken");
    rig.kms.editGenerated = (key) => ({ ...key, plaintext: Buffer.alloc(16) });
    expect(await failureCode(() => addKey(office, patients))).to.equal("kms_broken");
    rig.kms.before = ({ operation }) => (operation === "generate" ? denied() : undefined);
    expect(await failureCode(() => addKey(office, patients))).to.equal("kms_denied");
    expect(textOf()).to.equal(before);
    expect(readdirSync(folder())).to.deep.equal(["keyring.json"]);
  });

  it("wraps a key under several KEKs, each proven; any one of them opens it", async () => {
    const spare = new FakeKms();
    const kms = new Map([...rig.byName, ["spare", spare]]);
    const both = { ...office, kms, keks: ["main", "spare"] };
    await createKeyring(both);
    const entry = await addKey(both, patients);
    expect(entry.wraps.map(({ kek }) => kek)).to.deep.equal(["main", "spare"]);
    expect(spare.count("wrap")).to.equal(2);
    expect(spare.count("unwrap")).to.equal(2);
    await listKeys({ ...office, kms: new Map([["spare", spare]]) });
    await listKeys(office);
    expect(await failureCode(() => listKeys({ ...office, kms: new Map() }))).to.equal("kms_not_mine");
    expect(await failureCode(() => addKey({ ...office, keks: ["absent"] }, patients))).to.equal("config_invalid");
  });

  it("activates a pending key only after its notBefore", async () => {
    await createKeyring(office);
    const { id } = await addKey(office, patients);
    expect(await failureCode(() => activateKey(office, id))).to.equal("key_state");
    await rig.clock.pass(599_000);
    expect(await failureCode(() => activateKey(office, id))).to.equal("key_state");
    await rig.clock.pass(1000);
    expect((await activateKey(office, id)).state).to.equal("active");
    expect(await failureCode(() => activateKey(office, id))).to.equal("key_state");
    expect((await listKeys(office)).entries[0]).to.include({ id, state: "active" });
  });

  it("takes the beginning of an id for the key, if it is one key's", async () => {
    await createKeyring(office);
    const { id } = await addKey(office, { ...patients, spreadMs: 0 });
    for (const none of ["", id.slice(0, 7), "ffffffff00", `${id}0`])
      expect(await failureCode(() => activateKey(office, none)), none).to.equal("key_state");
    await activateKey(office, id.slice(0, 8));
  });

  it("leaves older keys active when a newer one becomes so", async () => {
    await createKeyring(office);
    const first = await addKey(office, { ...patients, active: true });
    const second = await addKey(office, { ...patients, spreadMs: 0 });
    await activateKey(office, second.id);
    const states = (await listKeys(office)).entries.map(({ state }) => state);
    expect(states).to.deep.equal(["active", "active"]);
    expect(first.id).not.to.equal(second.id);
  });

  it("makes a key active at once only where no scope that overlaps has one of its use", async () => {
    await createKeyring(office);
    await addKey(office, { ...patients, active: true });
    expect(await failureCode(() => addKey(office, { ...patients, active: true }))).to.equal("key_state");
    await addKey(office, { ...patients, use: "deterministic", active: true });
    await addKey(office, { ...patients, scope: { dataset: "others", tenant: "t1" }, active: true });
    // Sidecars that have not read them yet could not open what such keys seal.
    for (const scope of [{}, { tenant: "t1" }, { dataset: "patients", tenant: "t1" }])
      expect(await failureCode(() => addKey(office, { ...patients, scope, active: true }))).to.equal("key_state");
    await addKey(office, { ...patients, scope: { dataset: "others", tenant: "t2" }, active: true });
  });

  it("never has two active deterministic keys in one scope", async () => {
    await createKeyring(office);
    const exact = { use: "deterministic", scope: { dataset: "d" } } as const;
    await addKey(office, { ...exact, active: true });
    const { id } = await addKey(office, { ...exact, spreadMs: 0 });
    expect(await failureCode(() => activateKey(office, id))).to.equal("key_state");
    const tenants = await addKey(office, { ...exact, scope: { dataset: "d", tenant: "t1" }, spreadMs: 0 });
    expect(await failureCode(() => activateKey(office, tenants.id))).to.equal("key_state");
  });

  describe("in a folder of shards", () => {
    beforeEach(async () => {
      office = rig.office(folder(), { store: openKeyringStore(join(folder(), "ring")) });
      await createKeyring(office, 4);
    });

    it("changes one file a change, each with generations of its own", async () => {
      for (let index = 0; index < 12; index += 1) await addKey(office, patients);
      const keyring = await listKeys(office);
      expect(keyring.entries).to.have.length(12);
      expect(keyring.shards.reduce((sum, { generation }) => sum + generation - 1, 0)).to.equal(12);
      expect(readdirSync(office.store.location)).to.deep.equal([0, 1, 2, 3].map((index) => `shard-${index}.json`));
    });

    it("is refused with a shard missing, doubled or of another keyring", async () => {
      renameSync(join(office.store.location, "shard-3.json"), join(folder(), "away.json"));
      expect(await failureCode(() => listKeys(office))).to.equal("keyring_invalid");
      const other = rig.office(folder(), { store: openKeyringStore(join(folder(), "other")) });
      await createKeyring(other, 4);
      writeFileSync(join(office.store.location, "shard-3.json"), textOf(join(other.store.location, "shard-3.json")));
      expect(await failureCode(() => listKeys(office))).to.equal("keyring_invalid");
      writeFileSync(join(office.store.location, "shard-3.json"), textOf(join(folder(), "away.json")));
      await listKeys(office);
      writeFileSync(join(office.store.location, "shard-4.json"), textOf(join(folder(), "away.json")));
      expect(await failureCode(() => listKeys(office))).to.equal("keyring_invalid");
    });

    it("takes no notice of names that begin with a dot, as mounts and interrupted writes leave them", async () => {
      mkdirSync(join(office.store.location, "..2026_11_25"));
      writeFileSync(join(office.store.location, ".shard-0.json.1.tmp"), "half");
      await listKeys(office);
      await addKey(office, patients);
    });
  });
});

describe("keyring on disk", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;
  const lock = (): string => join(folder(), ".keyring.json.lock");

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder());
    await createKeyring(office);
  });

  it("is changed by one at a time, and nobody else's change is lost", async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => addKey(office, patients)));
    const done = results.filter(({ status }) => status === "fulfilled").length;
    expect(done).to.be.greaterThan(0);
    expect((await listKeys(office)).entries).to.have.length(done);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).to.have.property("code", "keyring_busy");
    expect(existsSync(lock())).to.equal(false);
  });

  it("clears what an interrupted write left, and keeps the file's mode", async () => {
    writeFileSync(join(folder(), ".keyring.json.4711.tmp"), "half");
    chmodSync(office.store.location, 0o644);
    await addKey(office, patients);
    expect(readdirSync(folder())).to.deep.equal(["keyring.json"]);
    expect(statSync(office.store.location).mode & 0o777).to.equal(0o644);
  });

  it("is replaced behind a link, not instead of it", async () => {
    const link = join(folder(), "link.json");
    symlinkSync(office.store.location, link);
    await addKey({ ...office, store: openKeyringStore(link) }, patients);
    expect((await listKeys(office)).entries).to.have.length(1);
  });

  it("is not overwritten when somebody changed it without the lock", async () => {
    const other = readFileSync(office.store.location, "utf8").replace("\n", "\n\n");
    rig.kms.before = ({ operation }) => {
      if (operation === "generate") writeFileSync(office.store.location, other);
    };
    expect(await failureCode(() => addKey(office, patients))).to.equal("keyring_busy");
    expect(readFileSync(office.store.location, "utf8")).to.equal(other);
  });

  it("is not changed when it is forged, malformed, or not the pinned one", async () => {
    const good = readFileSync(office.store.location, "utf8");
    const pinned = { ...office, rootId: "0".repeat(64) };
    expect(await failureCode(() => addKey(pinned, patients))).to.equal("keyring_forged");
    const forged = good.replace('"generation": 1', '"generation": 2');
    for (const [text, code] of [
      [forged, "keyring_forged"],
      [good.slice(0, -3), "keyring_invalid"],
      ["", "keyring_invalid"],
    ] as const) {
      writeFileSync(office.store.location, text);
      expect(await failureCode(() => addKey(office, patients))).to.equal(code);
      expect(await failureCode(() => listKeys(office))).to.equal(code);
      expect(readFileSync(office.store.location, "utf8")).to.equal(text);
    }
    expect(
      await failureCode(() => listKeys({ ...office, store: openKeyringStore(join(folder(), "absent")) })),
    ).to.equal("file_unreadable");
  });

  it("is refused when its root does not hash to its id", async () => {
    rig.kms.editUnwrapped = () => Buffer.alloc(32, 5);
    expect(await failureCode(() => listKeys(office))).to.equal("keyring_forged");
  });
});
