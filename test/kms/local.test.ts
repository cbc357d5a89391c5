import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import { createLocalKeyFile, LocalKms, openLocalKms } from "../../src/kms/local/local.ts";
import { failureCode } from "../rig/failure-code.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });

describe("local KMS", () => {
  const kms = new LocalKms(Buffer.alloc(32, 7));

  it("gives back the key it generated, under its own context only", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    expect(plaintext).to.have.length(32);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    const others = [dataContext({ tenant: "t2", dataset: "patients" }), dataContext({ tenant: "t1" }), rootContext];
    for (const other of others) expect(await failureCode(() => kms.unwrap(wrapped, other))).to.equal("kms_not_mine");
  });

  it("wraps a key that somebody else made and leaves it as it is", async () => {
    const key = Buffer.alloc(32, 3);
    expect((await kms.unwrap(await kms.wrap(key, context), context)).equals(key)).to.equal(true);
    expect(key.equals(Buffer.alloc(32, 3))).to.equal(true);
    expect(await failureCode(() => kms.wrap(Buffer.alloc(31), context))).to.equal("internal");
  });

  it("never wraps twice to the same bytes", async () => {
    const key = Buffer.alloc(32, 3);
    expect((await kms.wrap(key, context)).equals(await kms.wrap(key, context))).to.equal(false);
  });

  it("calls every changed, shortened or lengthened byte not its own", async () => {
    const { wrapped } = await kms.generate(context);
    for (let index = 0; index < wrapped.length; index += 1) {
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(await failureCode(() => kms.unwrap(changed, context)), `byte ${index}`).to.equal("kms_not_mine");
      const cut = wrapped.subarray(0, index);
      expect(await failureCode(() => kms.unwrap(cut, context)), `cut at ${index}`).to.equal("kms_not_mine");
    }
    const longer = Buffer.concat([wrapped, Buffer.alloc(1)]);
    expect(await failureCode(() => kms.unwrap(longer, context))).to.equal("kms_not_mine");
    expect(await failureCode(() => new LocalKms(Buffer.alloc(32, 8)).unwrap(wrapped, context))).to.equal(
      "kms_not_mine",
    );
  });

  it("zeroes its key when closed, and then does nothing under the zeroes that are left", async () => {
    const key = Buffer.alloc(32, 9);
    const closed = new LocalKms(key);
    const { wrapped } = await closed.generate(context);
    await closed.close();
    expect(key.equals(Buffer.alloc(32))).to.equal(true);
    const calls = [
      () => closed.generate(context),
      () => closed.wrap(Buffer.alloc(32, 3), context),
      () => closed.unwrap(wrapped, context),
      () => closed.rewrap(wrapped, context),
    ];
    for (const call of calls) expect(await failureCode(call)).to.equal("kms_unavailable");
  });
});

describe("local key file", () => {
  const folder = useScratchFolder();
  const path = (): string => join(folder(), "kek.json");
  const open = () => openLocalKms({ provider: "local", keyFile: path() });
  const write = (text: string): void => writeFileSync(path(), text, { mode: 0o600 });
  const good = `{"apiVersion":"sealwright.dev/v1","kind":"LocalKek","key":"${"A".repeat(43)}"}`;

  it("is made with mode 0600 under any umask, and opens", async () => {
    const umask = process.umask(0);
    try {
      await createLocalKeyFile(path());
    } finally {
      process.umask(umask);
    }
    expect(statSync(path()).mode & 0o7777).to.equal(0o600);
    const kms = await open();
    const { plaintext, wrapped } = await kms.generate(context);
    const again = await open();
    expect((await again.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
  });

  it("is never made over an existing file", async () => {
    write("mine");
    expect(await failureCode(() => createLocalKeyFile(path()))).to.equal("file_exists");
    expect(readFileSync(path(), "utf8")).to.equal("mine");
  });

  it("holds another key each time", async () => {
    await createLocalKeyFile(path());
    await createLocalKeyFile(join(folder(), "other.json"));
    expect(readFileSync(path(), "utf8")).not.to.equal(readFileSync(join(folder(), "other.json"), "utf8"));
  });

  it("is refused with any mode but the owner's own", async () => {
    write(good);
    for (const mode of [0o400, 0o600]) {
      chmodSync(path(), mode);
      await open();
    }
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o700, 0o610, 0o601, 0o644, 0o666, 0o4600, 0o1600]) {
      chmodSync(path(), mode);
      expect(await failureCode(open), mode.toString(8)).to.equal("key_file");
    }
  });

  it("is refused when it is no regular file, and never waited for", async () => {
    expect(await failureCode(open)).to.equal("key_file");
    mkdirSync(path(), { mode: 0o600 });
    expect(await failureCode(open)).to.equal("key_file");
    const pipe = join(folder(), "pipe");
    execFileSync("mkfifo", ["-m", "600", pipe]);
    expect(await failureCode(() => openLocalKms({ provider: "local", keyFile: pipe }))).to.equal("key_file");
  });

  it("may be reached by a link, as mounted secrets are; the file behind it counts", async () => {
    const link = join(folder(), "link");
    symlinkSync(path(), link);
    write(good);
    await openLocalKms({ provider: "local", keyFile: link });
    chmodSync(path(), 0o644);
    expect(await failureCode(() => openLocalKms({ provider: "local", keyFile: link }))).to.equal("key_file");
  });

  const bad: Readonly<Record<string, string>> = {
    empty: "",
    "no JSON": "kek",
    "another kind": good.replace("LocalKek", "Keyring"),
    "another version": good.replace("/v1", "/v2"),
    "a member too many": good.replace("{", '{"note":"x",'),
    "no key": '{"apiVersion":"sealwright.dev/v1","kind":"LocalKek"}',
    "a short key": good.replace("A".repeat(43), "A".repeat(42)),
    "a padded key": good.replace("A".repeat(43), `${"A".repeat(43)}=`),
    "a key with loose bits at its end": good.replace("A".repeat(43), `${"A".repeat(42)}B`),
    "plain base64": good.replace("A".repeat(43), `${"A".repeat(42)}+`),
    "far too long": `${good}${" ".repeat(2000)}`,
  };
  for (const [what, text] of Object.entries(bad)) {
    it(`is refused: ${what}`, async () => {
      write(text);
      expect(await failureCode(open)).to.equal("key_file");
    });
  }
});
