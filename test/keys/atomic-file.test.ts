import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { createFile, replaceFile } from "../../src/keys/keyring/atomic-file.ts";
import { failureCode } from "../rig/failure-code.ts";
import { withFsFault } from "../rig/fs-faults.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

describe("files that are whole or not there", () => {
  const folder = useScratchFolder();
  const path = (): string => join(folder(), "file.json");

  it("are made for their owner alone, and never over another", async () => {
    await createFile(path(), "first");
    expect(statSync(path()).mode & 0o777).to.equal(0o600);
    expect(await failureCode(() => createFile(path(), "second"))).to.equal("file_exists");
    expect(readFileSync(path(), "utf8")).to.equal("first");
    expect(readdirSync(folder())).to.deep.equal(["file.json"]);
  });

  it("are made once by many at once", async () => {
    const all = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => createFile(path(), `${index}`)));
    expect(all.filter(({ status }) => status === "fulfilled")).to.have.length(1);
    expect(readFileSync(path(), "utf8")).to.equal(`${all.findIndex(({ status }) => status === "fulfilled")}`);
  });

  it("are made where the file system has no links too, and still never over another", async () => {
    const { link } = fs;
    fs.link = () => Promise.reject(Object.assign(new Error("injected"), { code: "EPERM" }));
    syncBuiltinESMExports();
    try {
      await createFile(path(), "first");
      expect(await failureCode(() => createFile(path(), "second"))).to.equal("file_exists");
    } finally {
      fs.link = link;
      syncBuiltinESMExports();
    }
    expect(readFileSync(path(), "utf8")).to.equal("first");
    expect(readdirSync(folder())).to.deep.equal(["file.json"]);
  });

  it("hold the old text or the new one, whichever operation has no room", async () => {
    for (let at = 1; ; at += 1) {
      writeFileSync(path(), "old");
      const { operations, outcome } = await withFsFault("half", at, () => replaceFile(path(), "the new text"));
      const text = readFileSync(path(), "utf8");
      expect(text).to.be.oneOf(["old", "the new text"]);
      if (outcome?.status === "fulfilled") expect(text).to.equal("the new text");
      if (operations < at) return;
    }
  });

  it("keep their mode, and sweep what an interrupted write of theirs left, not of others", async () => {
    writeFileSync(path(), "old");
    chmodSync(path(), 0o640);
    for (const name of [".file.json.4711.tmp", ".file.json.4711-99.tmp", ".file.json.other.1.tmp", ".file.jsonx.1.tmp"])
      writeFileSync(join(folder(), name), "half");
    await replaceFile(path(), "new");
    expect(statSync(path()).mode & 0o777).to.equal(0o640);
    expect(readdirSync(folder())).to.deep.equal([".file.json.other.1.tmp", ".file.jsonx.1.tmp", "file.json"]);
  });

  // Only root can give files away.
  if (process.getuid?.() === 0)
    it("keep their owner and group", async () => {
      writeFileSync(path(), "old");
      chownSync(path(), 12_345, 12_346);
      await replaceFile(path(), "new");
      expect(statSync(path())).to.include({ uid: 12_345, gid: 12_346 });
    });

  it("stay as they are where their owner cannot be kept", async () => {
    writeFileSync(path(), "old");
    const handle = await fs.open(path());
    await handle.close();
    const methods = Object.getPrototypeOf(handle) as Pick<typeof handle, "stat" | "chown">;
    const { stat, chown } = methods;
    // A new file that belongs to somebody else than the old one, and a system that does not let that be changed.
    methods.stat = (() => Promise.resolve({ uid: -1, gid: -1 })) as unknown as typeof stat;
    methods.chown = () => Promise.reject(Object.assign(new Error("injected"), { code: "EPERM" }));
    try {
      expect(await failureCode(() => replaceFile(path(), "new"))).to.equal("file_unreadable");
    } finally {
      Object.assign(methods, { stat, chown });
    }
    expect(readFileSync(path(), "utf8")).to.equal("old");
    expect(readdirSync(folder())).to.deep.equal(["file.json"]);
  });

  it("say so where nothing can be written", async () => {
    const place = join(folder(), "absent", "file.json");
    expect(await failureCode(() => createFile(place, "x"))).to.equal("file_unreadable");
    expect(await failureCode(() => replaceFile(place, "x"))).to.equal("file_unreadable");
    mkdirSync(path());
    expect(await failureCode(() => replaceFile(path(), "x"))).to.equal("file_unreadable");
    expect(readdirSync(folder())).to.deep.equal(["file.json"]);
  });
});
