import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { openKeyring } from "../../src/keys/keyring/change-keyring.ts";
import { destroyKey } from "../../src/keys/life-cycle/destroy-key.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  listKeys,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { joinShards } from "../../src/keys/keyring/keyring.ts";
import {
  backupOf,
  parseKeyringBackup,
  printKeyringBackup,
  type KeyringBackup,
} from "../../src/keys/life-cycle/keyring-backup.ts";
import type { KeyringEntry } from "../../src/keys/keyring/keyring-file.ts";
import { KeyringSource } from "../../src/keys/keyring-source.ts";
import { shardAt, withEntries } from "../../src/keys/keyring/keyring-shard.ts";
import { mergeEntries } from "../../src/keys/life-cycle/merge-entries.ts";
import { backUpKeyring, restoreKeyring } from "../../src/keys/life-cycle/restore-keyring.ts";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { failureCode } from "../rig/failure-code.ts";
import { KeysRig, moveKey } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const any = { use: "randomized", scope: {} } as const;
const t1 = { use: "randomized", scope: { tenant: "t1" } } as const;

describe("backup of a keyring", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;
  const path = (): string => join(folder(), "keyring.json");

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder());
    await createKeyring(office);
  });

  /** As from the file. */
  const backup = async (of = office): Promise<KeyringBackup> =>
    parseKeyringBackup(Buffer.from(printKeyringBackup(await backUpKeyring(of))));
  const lose = (): void => renameSync(path(), `${path()}.lost`);
  const states = async (): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries((await listKeys(office)).entries.map(({ id, state }) => [id, state]));
  const destroy = async (id: string) => {
    await moveKey(office, id, "retired");
    return destroyKey(office, id);
  };

  it("is refused when it is cut anywhere, or a byte of it differs", async () => {
    await addKey(office, any);
    const text = printKeyringBackup(await backUpKeyring(office));
    for (let length = 0; length < text.length - 1; length += 1)
      expect(await failureCode(() => parseKeyringBackup(Buffer.from(text.slice(0, length))))).to.equal(
        "backup_invalid",
      );
    for (let at = 0; at < text.length; at += 7) {
      const bytes = Buffer.from(text);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      // Another date of making is the one thing in it that nothing depends on.
      const isDate = at > text.indexOf("madeAt") + 8 && at < text.indexOf("rootId");
      if (!isDate) expect(await failureCode(() => parseKeyringBackup(bytes)), `at ${at}`).to.equal("backup_invalid");
    }
  });

  it("is made of a genuine keyring only", async () => {
    writeFileSync(path(), readFileSync(path(), "utf8").replace('"generation": 1', '"generation": 2'));
    expect(await failureCode(() => backUpKeyring(office))).to.equal("keyring_forged");
  });

  it("brings a lost keyring back, key by key, in a generation that sidecars take", async () => {
    const { id } = await addKey(office, { ...any, active: true });
    const sidecar = new KeyringSource(office);
    await sidecar.read();
    const saved = await backup();
    const before = await listKeys(office);
    lose();
    const restored = await restoreKeyring(office, { backup: saved });
    expect([restored.created, restored.keyring.generation]).to.deep.equal([true, 3]);
    expect(restored.keyring.entries).to.deep.equal(before.entries);
    expect((await sidecar.read())?.entries.map((entry) => entry.id)).to.deep.equal([id]);
  });

  it("is written above a generation that sidecars have seen, and lifts what was put in place by hand", async () => {
    const saved = await backup();
    const old = readFileSync(path());
    for (let count = 0; count < 3; count += 1) await addKey(office, any);
    const sidecar = new KeyringSource(office);
    await sidecar.read();
    lose();
    await restoreKeyring(office, { backup: saved });
    expect(await failureCode(() => sidecar.read())).to.equal("keyring_stale");
    rmSync(path());
    expect((await restoreKeyring(office, { backup: saved, above: 4 })).keyring.generation).to.equal(5);
    expect((await sidecar.read())?.entries).to.deep.equal([]);
    writeFileSync(path(), old);
    const lift = async () => (await restoreKeyring(office, { backup: saved, above: 6 })).keyring.generation;
    expect([await lift(), await lift()]).to.deep.equal([7, 7]);
  });

  it("says nothing new to the keyring it was made of: no byte changes", async () => {
    await addKey(office, any);
    const text = readFileSync(path(), "utf8");
    const { changed, created } = await restoreKeyring(office, { backup: await backup() });
    expect([changed, created, readFileSync(path(), "utf8")]).to.deep.equal([[], false, text]);
  });

  it("takes nothing from a newer keyring, and adds to it only when that is asked for", async () => {
    const empty = await backup();
    const gone = await addKey(office, { ...any, active: true });
    const saved = await backup();
    lose();
    // Somebody began at the state before that key.
    await restoreKeyring(office, { backup: empty });
    const [first, second] = [await addKey(office, { ...any, active: true }), await addKey(office, t1)];
    const text = readFileSync(path(), "utf8");
    expect(await failureCode(() => restoreKeyring(office, { backup: saved }))).to.equal("keyring_stale");
    expect(readFileSync(path(), "utf8")).to.equal(text);
    const { changed } = await restoreKeyring(office, { backup: saved, allowOlder: true });
    // Not active beside the one that seals now.
    expect(changed.map(({ id, state }) => [id, state])).to.deep.equal([[gone.id, "decrypt-only"]]);
    expect(await states()).to.deep.equal({ [gone.id]: "decrypt-only", [first.id]: "active", [second.id]: "pending" });
  });

  it("never brings a destroyed key back into a keyring that knows of it, nor a state", async () => {
    const [gone, moved] = [await addKey(office, any), await addKey(office, { ...t1, spreadMs: 0 })];
    const saved = await backup();
    await destroy(gone.id);
    await activateKey(office, moved.id);
    const text = readFileSync(path(), "utf8");
    expect((await restoreKeyring(office, { backup: saved, allowOlder: true })).changed).to.deep.equal([]);
    expect(readFileSync(path(), "utf8")).to.equal(text);
  });

  it("brings no key back that a receipt says was destroyed, be it younger than the backup", async () => {
    const old = await addKey(office, any);
    const saved = await backup();
    const young = await addKey(office, t1);
    const receipts = [await destroy(old.id), await destroy(young.id)];
    lose();
    const { keyring } = await restoreKeyring(office, { backup: saved, receipts });
    expect(keyring.entries.map(({ id, state, wraps }) => [id, state, wraps])).to.have.deep.members([
      [old.id, "retired", []],
      [young.id, "retired", []],
    ]);
    const other = rig.office(join(folder(), "."), { store: openKeyringStore(join(folder(), "other.json")) });
    await createKeyring(other);
    const foreign = { backup: await backup(other), receipts };
    expect(await failureCode(() => restoreKeyring(other, foreign))).to.equal("receipt_invalid");
  });

  it("newer than the keyring in place tells it what happened since: states, destroyed keys, wraps and keys", async () => {
    const first = await addKey(office, { ...any, active: true });
    const [gone, old] = [await addKey(office, t1), readFileSync(path())];
    await destroy(gone.id);
    await moveKey(office, first.id, "decrypt-only");
    const next = await addKey(office, { ...any, spreadMs: 0 });
    await activateKey(office, next.id);
    const [saved, expected] = [await backup(), await listKeys(office)];
    writeFileSync(path(), old);
    const { keyring } = await restoreKeyring(office, { backup: saved });
    expect(keyring.entries).to.deep.equal(expected.entries);
    expect(keyring.generation).to.equal(expected.generation + 1);
  });

  it("of another root, or not of the pinned one, is refused", async () => {
    const other = rig.office(folder(), { store: openKeyringStore(join(folder(), "other.json")) });
    const { rootId } = await createKeyring(other);
    const foreign = await backup(other);
    expect(await failureCode(() => restoreKeyring(office, { backup: foreign }))).to.equal("keyring_forged");
    lose();
    const pinned = { ...office, rootId: "0".repeat(64) };
    expect(await failureCode(() => restoreKeyring(pinned, { backup: foreign }))).to.equal("keyring_forged");
    expect((await restoreKeyring({ ...office, rootId }, { backup: foreign })).keyring.root.id).to.equal(rootId);
  });

  it("does not touch a keyring in place that is broken, forged or unreadable", async () => {
    const saved = await backup();
    const genuine = readFileSync(path(), "utf8");
    const broken = { keyring_invalid: genuine.slice(0, 99), keyring_forged: genuine.replace(/: 1,/, ": 2,") };
    for (const [code, text] of Object.entries(broken)) {
      writeFileSync(path(), text);
      expect(await failureCode(() => restoreKeyring(office, { backup: saved, allowOlder: true }))).to.equal(code);
      expect(readFileSync(path(), "utf8")).to.equal(text);
    }
  });

  it("of a folder of shards is whole, goes back as one, and goes on where it was interrupted", async () => {
    office = rig.office(folder(), { store: openKeyringStore(join(folder(), "ring")) });
    await createKeyring(office, 4);
    const none = await backup();
    for (let count = 0; count < 12; count += 1) await addKey(office, any);
    const [saved, expected] = [await backup(), await listKeys(office)];
    rmSync(join(folder(), "ring"), { recursive: true });
    expect((await restoreKeyring(office, { backup: saved })).keyring.entries).to.deep.equal(expected.entries);
    expect(readdirSync(join(folder(), "ring"))).to.deep.equal([0, 1, 2, 3].map((index) => `shard-${index}.json`));

    rmSync(join(folder(), "ring"), { recursive: true });
    await restoreKeyring(office, { backup: none });
    let writes = 0;
    const { store } = office;
    const failing = {
      location: store.location,
      read: () => store.read(),
      create: (files: Parameters<typeof store.create>[0]) => store.create(files),
      exclusively: <T>(task: () => Promise<T>) => store.exclusively(task),
      replace: (...args: Parameters<typeof store.replace>) => {
        writes += 1;
        return writes > 2 ? Promise.reject(new SealwrightError("file_unreadable")) : store.replace(...args);
      },
    };
    const broken = { ...office, store: failing };
    expect(await failureCode(() => restoreKeyring(broken, { backup: saved }))).to.equal("file_unreadable");
    expect(writes).to.equal(3);
    expect((await restoreKeyring(office, { backup: saved })).changed).not.to.deep.equal([]);
    expect((await listKeys(office)).entries.map(({ id }) => id)).to.deep.equal(expected.entries.map(({ id }) => id));
  });

  it("with another number of shards does not fit the keyring in place", async () => {
    const { keyring, mac } = await openKeyring(office);
    const shards = [0, 1].map((index) =>
      mac.sign({ ...withEntries(shardAt(keyring, 0), []), shard: { index, count: 2 } }),
    );
    mac.end();
    const split = backupOf(joinShards(shards), "2026-01-01T00:00:00Z");
    expect(await failureCode(() => restoreKeyring(office, { backup: split }))).to.equal("keyring_invalid");
  });
});

describe("merge of two accounts of a keyring", () => {
  const states = ["pending", "active", "decrypt-only", "retired"] as const;
  const time = (second: number): string => `2026-01-01T00:00:0${second}Z`;
  const entryArb = fc
    .record({
      digit: fc.nat({ max: 7 }),
      state: fc.constantFrom(...states),
      since: fc.nat({ max: 9 }),
      kek: fc.constantFrom("a", "b"),
      destroyed: fc.boolean(),
      tenant: fc.constantFrom("t1", "t2", undefined),
    })
    .map(({ digit, state, since, kek, destroyed, tenant }): KeyringEntry => {
      const wraps = destroyed && state === "retired" ? [] : [{ kek, wrapped: "AA" }];
      const use = digit % 2 === 0 ? "randomized" : "deterministic";
      const scope = tenant === undefined ? {} : { tenant };
      return { id: `${digit}`.repeat(64), use, scope, state, createdAt: time(0), notBefore: time(since), wraps };
    });
  const account = fc.uniqueArray(entryArb, { selector: ({ id }) => id });
  const rank = (entry: KeyringEntry | undefined): number => (entry === undefined ? -1 : states.indexOf(entry.state));

  it("has every key of both once, no state goes back, destroyed stays destroyed, and again it changes nothing", () => {
    fc.assert(
      fc.property(account, account, fc.boolean(), (standing, saved, newer) => {
        const merge = (from: readonly KeyringEntry[]) =>
          mergeEntries({ standing: from, saved, savedIsNewer: () => newer, nowMs: Date.UTC(2026, 1, 1) });
        const merged = merge(standing);
        const ids = merged.map(({ id }) => id);
        expect(ids).to.have.members([...new Set([...standing, ...saved].map(({ id }) => id))]);
        for (const entry of merged) {
          const [mine, other] = [standing, saved].map((each) => each.find(({ id }) => id === entry.id));
          expect(rank(entry)).to.be.at.least(Math.max(rank(mine), rank(other)));
          const destroyed = [mine, other].some((each) => each?.wraps.length === 0);
          expect(entry.wraps.length === 0).to.equal(destroyed);
          if (destroyed) expect(entry.state).to.equal("retired");
        }
        expect(merge(merged)).to.deep.equal(merged);
      }),
    );
  });
});
