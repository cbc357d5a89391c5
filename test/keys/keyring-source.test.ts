import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { printKeyringFile, shardOf } from "../../src/keys/keyring/keyring-file.ts";
import { parseStored } from "../../src/keys/keyring/keyring-store.ts";
import { KeyringMac } from "../../src/keys/keyring/keyring-mac.ts";
import { KeyringSource } from "../../src/keys/keyring-source.ts";
import { addKey, createKeyring, type KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { withEntries } from "../../src/keys/keyring/keyring-shard.ts";
import { rewrapKeyring } from "../../src/keys/life-cycle/rewrap.ts";
import { rootContext } from "../../src/kms/context.ts";
import { failureCode, failureOf } from "../rig/failure-code.ts";
import { unavailable } from "../rig/fake-kms.ts";
import { KeysRig } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const anyKey = { use: "randomized", scope: {} } as const;

describe("keyring source", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;

  beforeEach(async () => {
    rig = new KeysRig();
    office = rig.office(folder());
    await createKeyring(office);
  });

  it("verifies a file once, and again when it has changed", async () => {
    const source = new KeyringSource(office);
    const before = rig.kms.count("unwrap");
    expect((await source.read())?.generation).to.equal(1);
    expect(await source.read()).to.equal(undefined);
    expect(rig.kms.count("unwrap")).to.equal(before + 1);
    await addKey(office, anyKey);
    expect((await source.read())?.generation).to.equal(2);
  });

  it("learns a new key while the key service is out of reach, and asks it again when the root's wraps change", async () => {
    const source = new KeyringSource(office);
    await source.read();
    await addKey(office, anyKey);
    rig.kms.before = unavailable;
    expect((await source.read())?.entries).to.have.length(1);
    rig.kms.before = () => undefined;
    await rewrapKeyring(office, {}, rig.labour);
    rig.kms.before = unavailable;
    expect(await failureCode(() => source.read())).to.equal("kms_unavailable");
    rig.kms.before = () => undefined;
    expect((await source.read())?.generation).to.equal(4);
    source.end();
    await addKey(office, anyKey);
    expect((await source.read())?.entries).to.have.length(2);
  });

  it("refuses a generation below the highest seen, and goes on from there", async () => {
    const source = new KeyringSource(office);
    const first = readFileSync(office.store.location);
    await addKey(office, anyKey);
    const second = readFileSync(office.store.location);
    await source.read();
    writeFileSync(office.store.location, first);
    expect(await failureCode(() => source.read())).to.equal("keyring_stale");
    expect(await failureCode(() => source.read())).to.equal("keyring_stale");
    writeFileSync(office.store.location, second);
    expect(await source.read()).to.equal(undefined);
  });

  it("lets no forged file lift what counts as seen", async () => {
    const source = new KeyringSource(office);
    const good = readFileSync(office.store.location, "utf8");
    writeFileSync(office.store.location, good.replace('"generation": 1', '"generation": 99'));
    expect(await failureCode(() => source.read())).to.equal("keyring_forged");
    writeFileSync(office.store.location, good);
    expect((await source.read())?.generation).to.equal(1);
  });

  it("holds each shard to its own past", async () => {
    const ring = { ...office, store: openKeyringStore(join(folder(), "ring")) };
    await createKeyring(ring, 2);
    const texts = (): readonly Buffer[] =>
      [0, 1].map((index) => readFileSync(join(ring.store.location, `shard-${index}.json`)));
    const before = texts();
    for (let index = 0; index < 8; index += 1) await addKey(ring, anyKey);
    const source = new KeyringSource(ring);
    await source.read();
    for (const index of [0, 1]) {
      if (texts()[index]!.equals(before[index]!)) continue;
      const now = texts()[index]!;
      writeFileSync(join(ring.store.location, `shard-${index}.json`), before[index]!);
      expect(await failureCode(() => source.read())).to.equal("keyring_stale");
      writeFileSync(join(ring.store.location, `shard-${index}.json`), now);
    }
  });

  it("parses nothing that has not changed, and refuses what is broken without looking into it again", async () => {
    const source = new KeyringSource(office);
    await source.read();
    writeFileSync(office.store.location, "half a fi");
    const failures = [await failureOf(() => source.read()), await failureOf(() => source.read())];
    expect(failures[0]?.code).to.equal("keyring_invalid");
    expect(failures[1]).to.equal(failures[0]);
  });

  describe("after a change of the number of shards", () => {
    /** The keyring of `office` anew in `count` shards of one generation, signed by its own root. */
    async function reshard(count: number, generation: number): Promise<string> {
      const [file] = parseStored(await office.store.read()).map((stored) => stored.file);
      if (file === undefined) return expect.fail("no keyring");
      const root = await rig.kms.unwrap(Buffer.from(file.root.wraps[0]?.wrapped ?? "", "base64url"), rootContext);
      const mac = new KeyringMac(root);
      const path = join(folder(), `ring-${count}-${generation}`);
      mkdirSync(path);
      for (let index = 0; index < count; index += 1) {
        const entries = file.entries.filter(({ id }) => shardOf(id, count) === index);
        const content = { ...withEntries(file, entries), generation, shard: { index, count } };
        writeFileSync(join(path, `shard-${index}.json`), printKeyringFile(mac.sign(content)));
      }
      return path;
    }

    for (const [generation, outcome] of [
      [3, "keyring_stale"],
      [4, "read"],
      [5, "read"],
    ] as const)
      it(`of generation ${generation} where 4 was seen: ${outcome}`, async () => {
        for (let index = 0; index < 3; index += 1) await addKey(office, anyKey);
        const ring = join(folder(), "ring");
        symlinkSync(office.store.location, ring);
        const source = new KeyringSource({ ...office, store: openKeyringStore(ring) });
        expect((await source.read())?.generation).to.equal(4);
        const sharded = await reshard(3, generation);
        rmSync(ring);
        symlinkSync(sharded, ring);
        const read = async (): Promise<string> => ((await source.read()) === undefined ? "unchanged" : "read");
        if (outcome === "read") expect(await read()).to.equal("read");
        else expect(await failureCode(read)).to.equal(outcome);
      });
  });
});
