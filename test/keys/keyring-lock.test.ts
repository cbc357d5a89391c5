import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { withKeyringLock } from "../../src/keys/keyring/stores/keyring-lock.ts";
import { hasEnded, thisProcess, type ProcessName } from "../../src/keys/keyring/stores/process-name.ts";
import { failureCode } from "../rig/failure-code.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

describe("keyring lock", () => {
  const folder = useScratchFolder();
  const path = (): string => join(folder(), ".keyring.json.lock");
  let me: ProcessName;
  let dead: ProcessName;

  before(async () => {
    me = await thisProcess();
    dead = { ...me, pid: spawnSync(process.execPath, ["-e", ""]).pid };
  });

  const held = async (): Promise<string> => {
    let found = "nothing";
    await withKeyringLock(path(), me, () => Promise.resolve((found = readFileSync(path(), "utf8"))));
    return found;
  };

  it("names its holder while the task runs, and is gone after it, also after one that failed", async () => {
    expect(JSON.parse(await held())).to.deep.equal(me);
    expect(readdirSync(folder())).to.deep.equal([]);
    const failing = withKeyringLock(path(), me, () => Promise.reject(new RangeError("x")));
    await failing.then(
      () => expect.fail("no failure"),
      (error: unknown) => expect(error).to.be.instanceOf(RangeError),
    );
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  const respected: Readonly<Record<string, () => string>> = {
    "a living process": () => JSON.stringify(me),
    "another host": () => JSON.stringify({ ...dead, host: "elsewhere" }),
    "another boot or container of this host": () => JSON.stringify({ ...dead, realm: "another" }),
    "nobody that can be told: empty": () => "",
    "nobody that can be told: cut off": () => JSON.stringify(me).slice(0, 9),
    "nobody that can be told: other members": () => JSON.stringify({ host: "h", pid: 1 }),
    "nobody that can be told: no process id": () => JSON.stringify({ ...me, pid: 0 }),
  };
  for (const [title, text] of Object.entries(respected))
    it(`is respected when it is of ${title}`, async () => {
      writeFileSync(path(), text());
      expect(await failureCode(held)).to.equal("keyring_busy");
      expect(readFileSync(path(), "utf8")).to.equal(text());
      expect(readdirSync(folder())).to.deep.equal([".keyring.json.lock"]);
    });

  it("of a process that died is taken over", async () => {
    writeFileSync(path(), JSON.stringify(dead));
    expect(JSON.parse(await held())).to.deep.equal(me);
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it("of a former process with this one's id, as in a container that began anew, is taken over", async () => {
    writeFileSync(path(), JSON.stringify({ ...me, started: "1" }));
    expect(JSON.parse(await held())).to.deep.equal(me);
  });

  it("is taken over from one that died while it took over from another, and so on, but not for ever", async () => {
    const deadLocks = (count: number): void => {
      for (let depth = 0; depth < count; depth += 1) writeFileSync(path() + "+".repeat(depth), JSON.stringify(dead));
    };
    deadLocks(4);
    expect(JSON.parse(await held())).to.deep.equal(me);
    expect(readdirSync(folder())).to.deep.equal([]);
    deadLocks(5);
    expect(await failureCode(held)).to.equal("keyring_busy");
  });

  it("sweeps locks that were about to be placed", async () => {
    writeFileSync(join(folder(), "..keyring.json.lock.4711-1.tmp"), "half");
    await held();
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it("lets one in at a time, however many take a dead one over at once", async () => {
    writeFileSync(path(), JSON.stringify(dead));
    let inside = 0;
    let entered = 0;
    const enter = (): Promise<void> =>
      withKeyringLock(path(), me, async () => {
        inside += 1;
        entered += 1;
        expect(inside).to.equal(1);
        await new Promise(setImmediate);
        inside -= 1;
      });
    const all = await Promise.allSettled(Array.from({ length: 50 }, enter));
    expect(entered).to.be.greaterThan(0);
    const refused = all.filter((each) => each.status === "rejected").map(({ reason }): unknown => reason);
    for (const reason of refused) expect(reason).to.have.property("code", "keyring_busy");
    expect(refused).to.have.length(50 - entered);
    expect(existsSync(path())).to.equal(false);
  });

  it("lets one in at a time, however often it is given back while others look", async () => {
    let inside = 0;
    let most = 0;
    const end = Date.now() + 1500;
    const contend = async (): Promise<void> => {
      while (Date.now() < end)
        await withKeyringLock(path(), me, async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise(setImmediate);
          inside -= 1;
        }).catch((error: unknown) => expect(error).to.have.property("code", "keyring_busy"));
    };
    await Promise.all(Array.from({ length: 6 }, contend));
    expect(most).to.equal(1);
  });

  it("tells a living child from a dead one", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    const stat = (): string => readFileSync(`/proc/${child.pid}/stat`, "utf8");
    const started =
      stat()
        .slice(stat().lastIndexOf(")") + 2)
        .split(" ")[19] ?? "";
    const name = { ...me, pid: child.pid ?? 0, started };
    expect(await hasEnded(name)).to.equal(false);
    expect(await hasEnded({ ...name, started: "1" })).to.equal(true);
    // Where one user may not see another's processes, nobody tells when they started.
    expect(await hasEnded({ ...name, started: "" })).to.equal(false);
    child.kill("SIGKILL");
    await once(child, "close");
    expect(await hasEnded(name)).to.equal(true);
  });
});
