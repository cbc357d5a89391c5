import { expect } from "chai";

import { codeOf, statusOf } from "../rig/abuse-case.ts";
import { denied } from "../rig/kms-stand-in.ts";
import { Rig } from "../rig/rig.ts";
import { forms } from "../rig/sidecar-files.ts";

const wait = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));
const clockHook = new URL("../rig/shift-clock.ts", import.meta.url).pathname;

for (const form of forms) {
  describe(`E: keys grow old, with a cache age of one second [${form}]`, () => {
    let rig: Rig;
    before(async function () {
      this.timeout(20_000);
      rig = await Rig.start({ form, keys: ["cache: { age: 1s }"], nodeArgs: ["--import", clockHook] });
      await write();
    });
    after(() => rig.stop());

    /** One write and one read: the code of the first refusal, or the time of both in milliseconds. */
    async function write(): Promise<string | number> {
      const started = performance.now();
      const written = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
      if (statusOf(written.answers[0]) !== 204) return codeOf(written.answers[0]);
      const read = await rig.send({ target: "/v1/patients/1" });
      return statusOf(read.answers[0]) === 200 ? performance.now() - started : codeOf(read.answers[0]);
    }

    async function writeFor(ms: number): Promise<(string | number)[]> {
      const outcomes: (string | number)[] = [];
      for (const end = performance.now() + ms; performance.now() < end;) {
        outcomes.push(await write());
        await wait(20);
      }
      return outcomes;
    }

    it("E-08 a slow key service does not slow traffic down: keys are checked behind it", async function () {
      this.timeout(20_000);
      const before = rig.kms.calls.length;
      rig.kms.fault = () => ({ kind: "delay", ms: 100 });
      const outcomes = await writeFor(1_500);
      expect(rig.kms.calls.length, "checks").to.be.above(before);
      rig.kms.fault = () => ({ kind: "delay", ms: 5_000 });
      outcomes.push(...(await writeFor(1_500)));
      rig.kms.fault = () => undefined;
      expect(outcomes.filter((outcome) => typeof outcome === "string")).to.deep.equal([]);
      const times = outcomes.filter((outcome) => typeof outcome === "number").sort((a, b) => a - b);
      expect(times[Math.floor(times.length * 0.9)], "ninth decile, ms").to.be.below(100);
    });

    it("E-10 a wall clock that jumps a day either way changes nothing", async function () {
      this.timeout(20_000);
      // What slow answers of the case before have left behind is over.
      await wait(2_200);
      await writeFor(600);
      for (let jump = 0; jump < 2; jump++) {
        const before = rig.kms.calls.length;
        rig.sidecar.signal("SIGUSR2");
        await wait(20);
        const outcomes = await writeFor(100);
        expect(outcomes.filter((outcome) => typeof outcome === "string")).to.deep.equal([]);
        expect(rig.kms.calls.length - before, "calls right after the jump").to.be.at.most(3);
        await writeFor(1_300);
        expect(rig.kms.calls.length - before, "checks go on").to.be.within(1, 12);
      }
      expect(rig.sidecar.exitCode).to.equal(undefined);
    });

    it("E-07 a revoked key is of no use after its age", async function () {
      this.timeout(20_000);
      rig.kms.fault = () => denied;
      await writeFor(1_300);
      const upstream = rig.upstream.requests.length;
      const written = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
      expect(codeOf(written.answers[0])).to.equal("kms_denied");
      expect(rig.upstream.requests.length, "nothing at the upstream").to.equal(upstream);
      const read = await rig.send({ target: "/v1/patients/1" });
      expect(codeOf(read.answers[0])).to.equal("open_failed");
      const ready = await rig.sidecar.admin("/readyz");
      expect(ready.status, ready.body).to.equal(503);
      rig.kms.fault = () => undefined;
      expect(await write(), "given back").to.be.a("number");
    });
  });
}
