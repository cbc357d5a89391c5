import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog, type Log } from "../../src/base/log.ts";
import { KeyUsage } from "../../src/keys/usage/key-usage.ts";
import { UsageFile } from "../../src/keys/usage/usage-file.ts";
import { parseUsageReport, type UsageReport } from "../../src/keys/usage/usage-report.ts";
import { FakeClock } from "../rig/fake-clock.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const key = Buffer.alloc(32, 7);
const name = "a".repeat(32);

describe("usage file", () => {
  const folder = useScratchFolder();
  let clock: FakeClock;
  let events: string[];
  let path: string;

  beforeEach(() => {
    clock = new FakeClock();
    events = [];
    path = join(folder(), "usage.json");
  });

  const log: Log = { ...silentLog, warn: (event) => void events.push(event) };
  const read = (): UsageReport => parseUsageReport(readFileSync(path));
  async function started(sidecar = name): Promise<{ usage: KeyUsage; file: UsageFile }> {
    const usage = new KeyUsage(clock);
    const file = new UsageFile(path, usage, { clock, log });
    await file.start(sidecar);
    return { usage, file };
  }
  const sealedOf = (report: UsageReport): number | undefined => report.keys[key.toString("hex")]?.sealed;

  it("is there from the start, and keeps counts, name and beginning through restarts", async () => {
    const first = await started();
    expect(read()).to.include({ sidecar: name, since: "2026-11-25T00:00:00.000Z" });
    first.usage.sealed(first.usage.of(key), 3);
    await first.file.stop();
    await clock.pass(60_000);
    const second = await started("b".repeat(32));
    second.usage.sealed(second.usage.of(key), 4);
    await second.file.stop();
    expect(sealedOf(read())).to.equal(7);
    expect(read()).to.include({
      sidecar: name,
      since: "2026-11-25T00:00:00.000Z",
      writtenAt: "2026-11-25T00:01:00.000Z",
    });
    expect(clock.pendingTimers).to.equal(0);
  });

  it("is written every 30 seconds", async () => {
    const { usage, file } = await started();
    usage.sealed(usage.of(key), 3);
    expect(sealedOf(read())).to.equal(undefined);
    await clock.pass(30_000);
    for (let wait = 0; wait < 200 && clock.pendingTimers === 0; wait += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sealedOf(read())).to.equal(3);
    await file.stop();
  });

  for (const broken of ["", "{", "not a report", '{"apiVersion":"sealwright.dev/v1"}'])
    it(`begins anew beside a file that holds ${JSON.stringify(broken)}, which is moved aside`, async () => {
      writeFileSync(path, broken);
      const { usage, file } = await started();
      usage.sealed(usage.of(key), 1);
      await file.stop();
      expect(sealedOf(read())).to.equal(1);
      const aside = readdirSync(folder()).filter((each) => each.includes("broken"));
      expect(aside.map((each) => readFileSync(join(folder(), each), "utf8"))).to.deep.equal([broken]);
      expect(events).to.deep.equal(["usage_report_begins_anew"]);
    });

  it("begins anew, as evidence of nothing before, where another sidecar writes to the same file", async () => {
    const [one, other] = [await started(), await started("b".repeat(32))];
    one.usage.opened(one.usage.of(key), 3);
    other.usage.sealed(other.usage.of(key), 1);
    await clock.pass(600_000);
    await other.file.stop();
    await one.file.stop();
    expect(read().since).to.equal("2026-11-25T00:10:00.000Z");
    expect(events).to.include("usage_report_shared");
  });

  it("is written whole again where it was removed", async () => {
    const { usage, file } = await started();
    usage.opened(usage.of(key), 3);
    rmSync(path);
    await clock.pass(600_000);
    await file.stop();
    expect(read().since).to.equal("2026-11-25T00:00:00.000Z");
    expect(read().keys[key.toString("hex")]?.opened).to.equal(3);
    expect(events).to.deep.equal([]);
  });

  it("never fails: a place where nothing can be written is told once", async () => {
    path = join(folder(), "none", "usage.json");
    const { file } = await started();
    await clock.pass(30_000);
    await file.stop();
    expect(events).to.deep.equal(["usage_report_not_written"]);
  });

  it("keeps counting when the file is a folder", async () => {
    mkdirSync(path);
    chmodSync(path, 0o700);
    const { file } = await started();
    await file.stop();
    expect(events.length).to.be.greaterThan(0);
  });
});
