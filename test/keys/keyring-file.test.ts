import { expect } from "chai";
import { parseKeyringFile, printKeyringFile, printTime, shardOf } from "../../src/keys/keyring/keyring-file.ts";
import { joinShards } from "../../src/keys/keyring/keyring.ts";
import { failureCode } from "../rig/failure-code.ts";
import { keyringVectors } from "../rig/keyring-vectors.ts";

type Json = Record<string, unknown>;
const sample = (): Json => JSON.parse(JSON.stringify(keyringVectors()[0]!.file)) as Json;
const entriesOf = (file: Json): Json[] => file["entries"] as Json[];
const parse = (file: unknown) => parseKeyringFile(Buffer.from(JSON.stringify(file)));

describe("keyring file", () => {
  it("is read and printed without loss", () => {
    for (const { file } of keyringVectors()) {
      const parsed = parse(file);
      expect(parsed).to.deep.equal(file);
      expect(parseKeyringFile(Buffer.from(printKeyringFile(parsed)))).to.deep.equal(file);
    }
  });

  it("is refused cut at every byte", () => {
    const bytes = Buffer.from(JSON.stringify(keyringVectors()[1]!.file));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseKeyringFile(bytes.subarray(0, length)), `cut at ${length}`)
        .to.throw()
        .with.property("code", "keyring_invalid");
    }
  });

  const edit = (change: (file: Json) => void): Json => {
    const file = sample();
    change(file);
    return file;
  };
  const onEntry = (change: (entry: Json) => void) => edit((file) => change(entriesOf(file)[0]!));
  const onScope = (scope: unknown) => onEntry((entry) => (entry["scope"] = scope));
  const onWraps = (wraps: unknown) => onEntry((entry) => (entry["wraps"] = wraps));
  const wrap = { kek: "main", wrapped: "AAAA" };

  const bad: Readonly<Record<string, unknown>> = {
    "no object": [],
    null: null,
    "an unknown member": edit((file) => (file["note"] = "x")),
    "an unknown member called __proto__": JSON.parse(
      JSON.stringify(sample()).replace("{", '{"__proto__":{"a":1},'),
    ) as unknown,
    "an unknown member of an entry": onEntry((entry) => (entry["note"] = "x")),
    "an unknown member of a scope": onScope({ field: "x" }),
    "an unknown member of a wrap": onWraps([{ ...wrap, note: "x" }]),
    "another version": edit((file) => (file["apiVersion"] = "sealwright.dev/v2")),
    "another kind": edit((file) => (file["kind"] = "LocalKek")),
    "no generation": edit((file) => delete file["generation"]),
    "generation 0": edit((file) => (file["generation"] = 0)),
    "a fractional generation": edit((file) => (file["generation"] = 1.5)),
    "a generation as text": edit((file) => (file["generation"] = "1")),
    "a generation no double holds": edit((file) => (file["generation"] = 2 ** 53)),
    "a shard out of range": edit((file) => (file["shard"] = { index: 1, count: 1 })),
    "no shard": edit((file) => delete file["shard"]),
    "no root": edit((file) => delete file["root"]),
    "no mac": edit((file) => delete file["mac"]),
    "a null mac": edit((file) => (file["mac"] = null)),
    "a short mac": edit((file) => (file["mac"] = "AAAA")),
    "a padded mac": edit((file) => (file["mac"] = `${String(file["mac"])}=`)),
    "entries not sorted": edit((file) => void entriesOf(file).reverse()),
    "an id twice": edit((file) => void entriesOf(file).splice(1, 0, entriesOf(file)[0]!)),
    "an upper-case id": onEntry((entry) => (entry["id"] = String(entry["id"]).toUpperCase())),
    "a short id": onEntry((entry) => (entry["id"] = String(entry["id"]).slice(1))),
    "the root among the entries": edit((file) => {
      (file["root"] as Json)["id"] = entriesOf(file)[0]!["id"];
    }),
    "an entry in the wrong shard": edit((file) => (file["shard"] = { index: 0, count: 7 })),
    "another use": onEntry((entry) => (entry["use"] = "searchable")),
    "another state": onEntry((entry) => (entry["state"] = "disabled")),
    "a null scope": onScope(null),
    "no scope": onEntry((entry) => delete entry["scope"]),
    "a null tenant": onScope({ tenant: null }),
    "an empty tenant": onScope({ tenant: "" }),
    "a tenant outside its alphabet": onScope({ tenant: "a|b" }),
    "an empty dataset": onScope({ dataset: "" }),
    "a null member": onEntry((entry) => (entry["notBefore"] = null)),
    "a time with fractions": onEntry((entry) => (entry["createdAt"] = "2026-11-01T10:00:00.000Z")),
    "a time with an offset": onEntry((entry) => (entry["createdAt"] = "2026-11-01T10:00:00+00:00")),
    "a day that does not exist": onEntry((entry) => (entry["createdAt"] = "2026-02-30T10:00:00Z")),
    "a second that does not exist": onEntry((entry) => (entry["createdAt"] = "2026-02-03T10:00:60Z")),
    "no wrap": onWraps([]),
    "two wraps of one KEK": onWraps([wrap, wrap]),
    "an empty wrap": onWraps([{ ...wrap, wrapped: "" }]),
    "a padded wrap": onWraps([{ ...wrap, wrapped: "AA==" }]),
    "a wrap with loose bits": onWraps([{ ...wrap, wrapped: "AB" }]),
    "plain base64 in a wrap": onWraps([{ ...wrap, wrapped: "AA+/" }]),
    "a wrap that no value could carry": onWraps([{ ...wrap, wrapped: Buffer.alloc(65_536).toString("base64url") }]),
    "a KEK name in capitals": onWraps([{ ...wrap, kek: "Main" }]),
    "an empty KEK name": onWraps([{ ...wrap, kek: "" }]),
  };
  for (const [what, file] of Object.entries(bad)) {
    it(`is refused: ${what}`, async () => {
      expect(await failureCode(() => parse(file))).to.equal("keyring_invalid");
    });
  }

  it("is refused when it names a member twice, however it spells it", async () => {
    const text = JSON.stringify(sample());
    for (const twice of ['{"kind":"Keyring",', '{"\\u006bind":"Keyring",', '{"generation":1,']) {
      expect(await failureCode(() => parseKeyringFile(Buffer.from(text.replace("{", twice))))).to.equal(
        "keyring_invalid",
      );
    }
  });
});

describe("keyring of shards", () => {
  const count = 3;
  const file = keyringVectors()[0]!.file;
  const shards = [0, 1, 2].map((index) => ({
    ...file,
    shard: { index, count },
    entries: file.entries.filter(({ id }) => shardOf(id, count) === index),
  }));

  it("holds the entries of all, sorted, in whatever order the files come", () => {
    const keyring = joinShards([shards[2]!, shards[0]!, shards[1]!]);
    expect(keyring.entries).to.deep.equal(file.entries);
    expect(keyring.shards.map((shard) => shard.shard.index)).to.deep.equal([0, 1, 2]);
  });

  it("knows an entry's shard by the first u32 of its id", () => {
    expect(shardOf(`000000ff${"0".repeat(56)}`, 16)).to.equal(15);
    expect(shardOf(`ffffffff${"0".repeat(56)}`, 7)).to.equal(4_294_967_295 % 7);
  });

  const twin = { ...file.entries[0]!, id: `${file.entries[0]!.id.slice(0, 32)}${"f".repeat(32)}` };
  const bad = {
    "no file": [],
    "one missing": shards.slice(0, 2),
    "one twice": [shards[0]!, shards[1]!, shards[1]!],
    "one too many": [...shards, shards[0]!],
    "one of another number of shards": [shards[0]!, shards[1]!, { ...shards[2]!, shard: { index: 2, count: 4 } }],
    "one of another root": [shards[0]!, shards[1]!, { ...shards[2]!, root: { ...file.root, id: "0".repeat(64) } }],
    "two ids that values could not tell apart": [{ ...file, entries: [file.entries[0]!, twin] }],
    "an id in two shards": [
      { ...shards[0]!, entries: [file.entries[0]!] },
      { ...shards[1]!, entries: [file.entries[0]!] },
      shards[2]!,
    ],
  };
  for (const [what, files] of Object.entries(bad)) {
    it(`is refused: ${what}`, async () => {
      expect(await failureCode(() => joinShards(files))).to.equal("keyring_invalid");
    });
  }
});

describe("keyring times", () => {
  it("are whole seconds in UTC", () => {
    expect(printTime(Date.UTC(2026, 10, 5, 1, 2, 3, 999))).to.equal("2026-11-05T01:02:03Z");
  });
});
