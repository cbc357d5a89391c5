import { expect } from "chai";
import { silentLog } from "../../src/base/log.ts";
import { dataContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KmsPatience } from "../../src/kms/kms-config.ts";
import { Pace } from "../../src/kms/decorators/pace.ts";
import { resilientKms } from "../../src/kms/decorators/resilient.ts";
import { failureCode } from "../rig/failure-code.ts";
import { FakeClock, settled } from "../rig/fake-clock.ts";
import { FakeKms, unavailable } from "../rig/fake-kms.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";

const context = dataContext({ tenant: "t1", dataset: "d" });

describe("pace", () => {
  it("gives a burst at once and then one turn an interval, in order", () => {
    const pace = new Pace({ perSecond: 100, burst: 3 }, new FakeClock());
    const waits = Array.from({ length: 6 }, () => pace.take(1000));
    expect(waits).to.deep.equal([0, 0, 0, 10, 20, 30]);
  });

  it("gives no turn beyond the longest wait, and takes none for it", () => {
    const pace = new Pace({ perSecond: 100, burst: 1 }, new FakeClock());
    expect([pace.take(15), pace.take(15), pace.take(15), pace.take(15)]).to.deep.equal([0, 10, undefined, undefined]);
    expect(pace.take(20)).to.equal(20);
  });

  it("saves up no more than the burst", async () => {
    const clock = new FakeClock();
    const pace = new Pace({ perSecond: 100, burst: 2 }, clock);
    await clock.pass(3_600_000);
    expect([pace.take(100), pace.take(100), pace.take(100)]).to.deep.equal([0, 0, 10]);
    await clock.pass(20);
    expect([pace.take(100), pace.take(100)]).to.deep.equal([0, 10]);
  });
});

describe("paced KMS", () => {
  let clock: FakeClock;
  let fake: FakeKms;
  let random: number;

  beforeEach(() => {
    clock = new FakeClock();
    fake = new FakeKms();
    random = 0;
  });

  function opened(patience: Partial<KmsPatience> = {}): Kms {
    const ports = { clock, log: silentLog, metrics: new RecordedMetrics(), random: () => random };
    return resilientKms(fake, "main", { patience, ports });
  }

  const outcomes = (kms: Kms, count: number): Promise<string>[] =>
    Array.from({ length: count }, () =>
      kms.generate(context).then(
        () => "ok",
        (error: unknown) => (error as { code: string }).code,
      ),
    );

  it("spreads a cold start: a burst, then the rate", async () => {
    const all = outcomes(opened(), 250);
    await settled();
    expect(fake.calls).to.have.length(50);
    await clock.pass(995);
    expect(fake.calls.length).to.be.within(149, 150);
    await clock.pass(1005);
    expect(new Set(await Promise.all(all))).to.deep.equal(new Set(["ok"]));
  });

  it("waits a random part of a turn longer", async () => {
    random = 0.9;
    const kms = opened({ rate: { perSecond: 10, burst: 1 } });
    const all = outcomes(kms, 2);
    await clock.pass(185);
    expect(fake.calls).to.have.length(1);
    await clock.pass(10);
    expect(fake.calls).to.have.length(2);
    await Promise.all(all);
  });

  it("refuses at once what could not be answered in time, and blames nobody for it", async () => {
    const kms = opened({ callMs: 1000, attemptMs: 500, rate: { perSecond: 100, burst: 1 } });
    const all = outcomes(kms, 60);
    await settled();
    const refused = (await Promise.all(all.map((each) => Promise.race([each, settled()])))).filter(
      (each) => each !== undefined,
    );
    expect(refused.filter((each) => each === "kms_unavailable")).to.have.length(9);
    await clock.pass(600);
    const ends = await Promise.all(all);
    expect(ends.filter((each) => each === "ok")).to.have.length(51);
    // The circuit breaker has heard of nothing: the next call is made.
    await kms.generate(context);
    expect(fake.calls).to.have.length(52);
  });

  it("leaves calls that fail at once alone: none waits for a turn, none takes one", async () => {
    const kms = opened({ attempts: 1, backOffMs: 60_000, longestBackOffMs: 60_000, rate: { perSecond: 1, burst: 2 } });
    fake.before = unavailable;
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_unavailable");
    for (let index = 0; index < 100; index += 1)
      expect(await failureCode(() => kms.generate(context))).to.equal("kms_unavailable");
    expect(fake.calls).to.have.length(1);
    fake.before = () => undefined;
    await clock.pass(60_000);
    await kms.generate(context);
    await kms.generate(context);
  });

  it("ends in time with the wait counted in", async () => {
    const kms = opened({ callMs: 1000, attemptMs: 500, attempts: 1, rate: { perSecond: 4, burst: 1 } });
    fake.before = () => (fake.calls.length < 2 ? undefined : new Promise(() => undefined));
    const all = outcomes(kms, 3);
    await clock.pass(1000);
    expect(await Promise.all(all)).to.deep.equal(["ok", "kms_unavailable", "kms_unavailable"]);
    expect(clock.pendingTimers).to.equal(0);
  });

  it("asks nothing once closed, however often it is closed", async () => {
    const kms = opened();
    const { wrapped } = await kms.generate(context);
    await Promise.all([kms.close(), kms.close()]);
    const calls = [
      () => kms.generate(context),
      () => kms.unwrap(wrapped, context),
      () => kms.wrap(Buffer.alloc(32, 1), context),
      () => kms.rewrap(wrapped, context),
    ];
    for (const call of calls) expect(await failureCode(call)).to.equal("kms_unavailable");
    expect(fake.calls).to.have.length(1);
  });
});
