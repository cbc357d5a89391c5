import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import { FileWatch } from "../../src/base/file-watch.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const never = 1_000_000;

describe("file watch", () => {
  const folder = useScratchFolder();
  let looks = 0;
  let watched: FileWatch | undefined;

  beforeEach(() => {
    looks = 0;
  });
  afterEach(() => watched?.stop());

  function start(path: string, pollMs = never): void {
    const look = (): Promise<void> => {
      looks += 1;
      return Promise.resolve();
    };
    watched = new FileWatch({ paths: [path], look, pollMs, clock: systemClock });
    watched.start();
  }

  /** Waits until a look has happened since `before`. */
  async function looked(before: number): Promise<void> {
    const end = Date.now() + 5000;
    while (looks === before && Date.now() < end) await new Promise((settle) => setTimeout(settle, 10));
    expect(looks).to.be.above(before);
  }

  const pause = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

  it("looks after a file was written, replaced and made anew", async () => {
    const file = join(folder(), "a.pem");
    writeFileSync(file, "1");
    start(file);
    await pause(50);
    for (const change of [
      () => writeFileSync(file, "2"),
      () => {
        writeFileSync(`${file}.new`, "3");
        renameSync(`${file}.new`, file);
      },
      () => rmSync(file),
      () => writeFileSync(file, "4"),
    ]) {
      const before = looks;
      change();
      await looked(before);
      await pause(150);
    }
  });

  it("looks after Kubernetes swapped the link beside the files, time and again", async () => {
    const at = (name: string): string => join(folder(), name);
    for (const version of ["..v1", "..v2", "..v3"]) {
      mkdirSync(at(version));
      writeFileSync(join(at(version), "tls.crt"), version);
    }
    symlinkSync("..v1", at("..data"));
    symlinkSync("..data/tls.crt", at("tls.crt"));
    start(at("tls.crt"));
    await pause(50);
    for (const version of ["..v2", "..v3"]) {
      const before = looks;
      symlinkSync(version, at("..data_tmp"));
      renameSync(at("..data_tmp"), at("..data"));
      await looked(before);
      await pause(150);
    }
  });

  it("finds by its poll what did not exist when it began", async () => {
    const file = join(folder(), "later", "a.pem");
    start(file, 50);
    await looked(0);
    mkdirSync(join(folder(), "later"));
    writeFileSync(file, "1");
    await looked(looks);
  });

  it("looks once for a burst of changes, and never twice at once", async () => {
    const file = join(folder(), "a.pem");
    writeFileSync(file, "0");
    let running = 0;
    let most = 0;
    watched = new FileWatch({
      paths: [file],
      pollMs: never,
      clock: systemClock,
      look: async () => {
        looks += 1;
        running += 1;
        most = Math.max(most, running);
        await pause(30);
        running -= 1;
      },
    });
    watched.start();
    await pause(50);
    for (let each = 0; each < 50; each += 1) writeFileSync(file, String(each));
    await looked(0);
    await pause(300);
    expect(looks).to.be.at.most(3);
    await Promise.all([watched.lookNow(), watched.lookNow(), watched.lookNow()]);
    expect(most).to.equal(1);
  });

  it("is still once it is stopped", async () => {
    const file = join(folder(), "a.pem");
    writeFileSync(file, "0");
    start(file, 20);
    watched?.stop();
    writeFileSync(file, "1");
    await pause(200);
    expect(looks).to.equal(0);
  });
});
