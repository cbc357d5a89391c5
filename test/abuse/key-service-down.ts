import { expect } from "chai";

import { codeOf, statusOf } from "../rig/abuse-case.ts";
import { newCanary } from "../rig/canary.ts";
import { headerOf } from "../rig/http-reader.ts";
import type { KmsFault } from "../rig/kms-stand-in.ts";
import { Rig } from "../rig/rig.ts";

/** One call with all its attempts ends within this; some slack for a busy machine. */
export const deadlineMs = 5_000 + 2_500;

/** A write while the key service is away: 503, nothing at the upstream, no word of the value. Gives how long it took. */
export async function refusedWrite(rig: Rig): Promise<number> {
  const canary = newCanary();
  const outcome = await rig.send({ target: "/v1/patients/1", body: `{"ssn":"${canary}"}` });
  const [answer] = outcome.answers;
  expect(codeOf(answer)).to.be.oneOf(["kms_unavailable", "no_key"]);
  expect(statusOf(answer)).to.equal(503);
  if (codeOf(answer) === "kms_unavailable") expect(headerOf(answer!, "retry-after")).to.match(/^\d+$/u);
  expect(rig.upstream.requests, "requests at the upstream").to.be.empty;
  expect(rig.sidecar.output.includes(canary)).to.be.false;
  return outcome.durationMs;
}

/** Works again soon after the key service is back. */
export async function expectRecovery(rig: Rig): Promise<void> {
  rig.kms.fault = () => undefined;
  for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
    const outcome = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
    if (statusOf(outcome.answers[0]) === 204) {
      expect((await rig.sidecar.admin("/readyz")).status, "ready again").to.equal(200);
      return;
    }
    await new Promise((settle) => setTimeout(settle, 50));
  }
  expect.fail("did not recover");
}

/** Starts a sidecar, takes its key service away before the first request, and gives it back in the end. */
export async function expectOutage(what: string, fault: KmsFault): Promise<void> {
  const rig = await Rig.start({ form: "inline" });
  try {
    rig.kms.fault = () => fault;
    expect(await refusedWrite(rig), `ms when it ${what}`).to.be.below(deadlineMs);
    expect(rig.kms.calls.length, `attempts when it ${what}`).to.be.within(1, 3);
    expect((await rig.sidecar.admin("/readyz")).status, `ready when it ${what}`).to.equal(503);
    const calls = rig.kms.calls.length;
    await refusedWrite(rig);
    expect(rig.kms.calls.length - calls, `calls while backing off when it ${what}`).to.be.at.most(3);
    await expectRecovery(rig);
  } finally {
    await rig.stop();
  }
}
