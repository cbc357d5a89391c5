import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { codeOf, statusOf } from "../rig/abuse-case.ts";
import { denied, internalFailure, type KmsFault } from "../rig/kms-stand-in.ts";
import { Rig } from "../rig/rig.ts";
import { runCommand } from "../rig/sidecar.ts";
import { forms } from "../rig/sidecar-files.ts";

const wait = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));
const clockHook = new URL("../rig/shift-clock.ts", import.meta.url).pathname;

/** One write and one read: the code of the first refusal, or the time of both in milliseconds. */
async function writeAndRead(rig: Rig): Promise<string | number> {
  const started = performance.now();
  const written = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
  if (statusOf(written.answers[0]) !== 204) return codeOf(written.answers[0]);
  const read = await rig.send({ target: "/v1/patients/1" });
  return statusOf(read.answers[0]) === 200 ? performance.now() - started : codeOf(read.answers[0]);
}

/** Works for so long and gives the codes of refusals and the times. */
async function workFor(rig: Rig, ms: number): Promise<{ refusals: string[]; times: number[] }> {
  const outcomes: (string | number)[] = [];
  for (const end = performance.now() + ms; performance.now() < end;) {
    outcomes.push(await writeAndRead(rig));
    await wait(20);
  }
  return {
    refusals: outcomes.filter((outcome) => typeof outcome === "string"),
    times: outcomes.filter((outcome) => typeof outcome === "number").sort((a, b) => a - b),
  };
}

describe("E: keys grow old, with a cache age of one second", () => {
  let rigs: readonly Rig[] = [];
  before(async function () {
    this.timeout(20_000);
    const options = { keys: ["cache: { age: 1s }"], nodeArgs: ["--import", clockHook] };
    rigs = await Promise.all(forms.map((form) => Rig.start({ form, ...options })));
    for (const rig of rigs) expect(await writeAndRead(rig)).to.be.a("number");
  });
  after(() => Promise.all(rigs.map((rig) => rig.stop())));

  /** Both forms at once. */
  const inBoth = (fault: KmsFault | undefined, work: (rig: Rig) => Promise<void>): Promise<unknown> =>
    Promise.all(
      rigs.map(async (rig) => {
        rig.kms.fault = () => fault;
        await work(rig);
        rig.kms.fault = () => undefined;
      }),
    );

  it("E-08 keys are checked behind the traffic, which a slow or failing key service does not touch", async function () {
    this.timeout(20_000);
    await inBoth({ kind: "delay", ms: 50 }, async (rig) => {
      const before = rig.kms.calls.length;
      const { refusals, times } = await workFor(rig, 1_500);
      expect(refusals).to.deep.equal([]);
      expect(rig.kms.calls.length, "checks").to.be.above(before);
      expect(times[Math.floor(times.length * 0.9)], "ninth decile, ms").to.be.below(100);
    });
    await inBoth({ kind: "delay", ms: 5_000 }, async (rig) => {
      const { refusals, times } = await workFor(rig, 2_500);
      expect(refusals, "while each answer takes 5 s").to.deep.equal([]);
      expect(times[Math.floor(times.length * 0.9)], "ninth decile, ms").to.be.below(100);
    });
    await inBoth(internalFailure, async (rig) => {
      const { refusals } = await workFor(rig, 1_500);
      expect(refusals, "on the outage budget").to.deep.equal([]);
    });
  });

  it("E-10 a wall clock that jumps a day either way changes nothing", async function () {
    this.timeout(20_000);
    // The back-off after the failures of the case before is over, and the keys are checked again.
    await inBoth(undefined, async (rig) => {
      await workFor(rig, 2_000);
    });
    await inBoth(undefined, async (rig) => {
      for (let jump = 0; jump < 2; jump++) {
        const before = rig.kms.calls.length;
        rig.sidecar.signal("SIGUSR2");
        await wait(20);
        expect((await workFor(rig, 100)).refusals).to.deep.equal([]);
        expect(rig.kms.calls.length - before, "calls right after the jump").to.be.at.most(3);
        expect((await workFor(rig, 1_200)).refusals).to.deep.equal([]);
        expect(rig.kms.calls.length - before, "checks go on").to.be.within(1, 12);
      }
      expect(rig.sidecar.exitCode).to.equal(undefined);
    });
  });

  it("E-07 a revoked key is of no use after its age", async function () {
    this.timeout(20_000);
    await inBoth(denied, async (rig) => {
      await wait(1_300);
      const upstream = rig.upstream.requests.length;
      const written = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
      expect(codeOf(written.answers[0])).to.equal("kms_denied");
      expect(rig.upstream.requests.length, "nothing at the upstream").to.equal(upstream);
      const read = await rig.send({ target: "/v1/patients/1" });
      expect(codeOf(read.answers[0])).to.equal("open_failed");
      const ready = await rig.sidecar.admin("/readyz");
      expect(ready.status, ready.body).to.equal(503);
    });
    await inBoth(undefined, async (rig) => {
      expect(await writeAndRead(rig), "given back").to.be.a("number");
    });
  });
});

describe("E: keys that are purged, with a cache age of one hour", () => {
  const purges = [
    {
      by: "the purge command",
      purge: async ({ folder: { path } }: Rig): Promise<void> => {
        const ran = await runCommand({ folder: path, args: ["keys", "purge", "-c", "sidecar.yaml", "--json"] });
        expect(ran.code, ran.stderr).to.equal(0);
        expect(JSON.parse(ran.stdout)).to.have.property("purged").above(0);
      },
    },
    {
      by: "SIGHUP",
      purge: (rig: Rig): Promise<void> => {
        rig.sidecar.signal("SIGHUP");
        return Promise.resolve();
      },
    },
  ];
  let rigs: readonly Rig[] = [];
  before(async function () {
    this.timeout(20_000);
    rigs = await Promise.all(forms.map((form) => Rig.start({ form })));
  });
  after(() => Promise.all(rigs.map((rig) => rig.stop())));

  for (const { by, purge } of purges)
    it(`E-07 a revoked key is of no use at once after ${by}`, async function () {
      this.timeout(20_000);
      for (const rig of rigs) {
        rig.kms.fault = () => undefined;
        expect(await writeAndRead(rig)).to.be.a("number");
        rig.kms.fault = () => denied;
        expect(await writeAndRead(rig), "cached keys serve").to.be.a("number");
        await purge(rig);
        for (let look = 0; look < 50 && (await rig.sidecar.metric("sealwright_data_keys_cached")) > 0; look += 1)
          await wait(20);
        const upstream = rig.upstream.requests.length;
        const written = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
        expect(codeOf(written.answers[0])).to.equal("kms_denied");
        expect(rig.upstream.requests.length, "nothing at the upstream").to.equal(upstream);
        const read = await rig.send({ target: "/v1/patients/1" });
        expect(codeOf(read.answers[0])).to.equal("open_failed");
        rig.kms.fault = () => undefined;
        expect(await writeAndRead(rig), "given back").to.be.a("number");
      }
    });

  it("E-07 nobody purges without the token", async function () {
    this.timeout(20_000);
    const [rig] = rigs;
    if (rig === undefined) return expect.fail("no rig");
    await writeFile(join(rig.folder.path, "wrong.token"), "0123456789-not-the-token", { mode: 0o600 });
    const file = await readFile(join(rig.folder.path, "sidecar.yaml"), "utf8");
    await writeFile(join(rig.folder.path, "wrong.yaml"), file.replace("admin.token", "wrong.token"));
    const ran = await runCommand({ folder: rig.folder.path, args: ["keys", "purge", "-c", "wrong.yaml"] });
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.match(/^admin_refused/);
    expect(await rig.sidecar.metric("sealwright_data_keys_cached")).to.be.above(0);
  });
});
