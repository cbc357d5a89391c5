import { expect } from "chai";
import { silentLog } from "../../src/base/log.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { dataContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KmsPatience } from "../../src/kms/kms-config.ts";
import { resilientKms } from "../../src/kms/decorators/resilient.ts";
import { failureCode } from "../rig/failure-code.ts";
import { FakeClock, settled } from "../rig/fake-clock.ts";
import { denied, FakeKms, unavailable } from "../rig/fake-kms.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";

const context = dataContext({ tenant: "t1", dataset: "d" });

class Bench {
  readonly clock = new FakeClock();
  readonly fake = new FakeKms();
  readonly metrics = new RecordedMetrics();
  random = 0.5;
  readonly kms: Kms;

  constructor(patience: Partial<KmsPatience> = {}) {
    const ports = { clock: this.clock, log: silentLog, metrics: this.metrics, random: () => this.random };
    this.kms = resilientKms(this.fake, "main", { patience, ports });
  }

  /** The code that a call ends with while `ms` pass. */
  async codeWithin(ms: number, call: () => Promise<unknown> = () => this.kms.generate(context)): Promise<string> {
    const code = failureCode(call);
    await this.clock.pass(ms);
    return code;
  }
}

describe("KMS retry", () => {
  it("asks again while the service is out of reach, and gives what comes in the end", async () => {
    const { kms, fake, clock } = new Bench();
    fake.before = () => (fake.calls.length < 3 ? unavailable() : undefined);
    const key = kms.generate(context);
    await clock.pass(1000);
    expect((await key).plaintext).to.have.length(32);
    expect(fake.calls).to.have.length(3);
  });

  it("gives up after its attempts", async () => {
    const bench = new Bench({ attempts: 4 });
    bench.fake.before = unavailable;
    expect(await bench.codeWithin(5000)).to.equal("kms_unavailable");
    expect(bench.fake.calls).to.have.length(4);
  });

  it("waits a random part of a pause that doubles", async () => {
    const bench = new Bench({ attempts: 3 });
    bench.random = 0.999;
    bench.fake.before = unavailable;
    const code = failureCode(() => bench.kms.generate(context));
    await bench.clock.pass(48);
    expect(bench.fake.calls).to.have.length(1);
    await bench.clock.pass(4);
    expect(bench.fake.calls).to.have.length(2);
    await bench.clock.pass(90);
    expect(bench.fake.calls).to.have.length(2);
    await bench.clock.pass(20);
    expect(bench.fake.calls).to.have.length(3);
    expect(await code).to.equal("kms_unavailable");
  });

  for (const code of ["kms_denied", "kms_not_mine", "kms_broken"] as const) {
    it(`takes ${code} for an answer`, async () => {
      const bench = new Bench();
      bench.fake.before = () => {
        throw new SealwrightError(code);
      };
      expect(await bench.codeWithin(1000)).to.equal(code);
      expect(bench.fake.calls).to.have.length(1);
    });
  }
});

describe("KMS deadline", () => {
  it("ends an attempt that hangs, and the whole call", async () => {
    const bench = new Bench({ attemptMs: 100, attempts: 10, callMs: 350 });
    bench.random = 0;
    bench.fake.before = () => new Promise(() => undefined);
    const code = failureCode(() => bench.kms.unwrap(Buffer.from("x"), context));
    await bench.clock.pass(349);
    expect(bench.fake.calls).to.have.length(4);
    await bench.clock.pass(2);
    expect(await code).to.equal("kms_unavailable");
    await bench.clock.pass(2000);
    expect(bench.fake.calls).to.have.length(4);
  });

  it("M-07: zeroes a key that comes too late", async () => {
    const bench = new Bench({ attemptMs: 100, attempts: 1 });
    const late: (() => void)[] = [];
    bench.fake.before = () => new Promise((resolve) => void late.push(resolve));
    const wrapped = bench.fake.keep(Buffer.alloc(32, 1), context);
    expect(await bench.codeWithin(200)).to.equal("kms_unavailable");
    await bench.clock.pass(1000);
    expect(await bench.codeWithin(200, () => bench.kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
    for (const answer of late) answer();
    await settled();
    expect(bench.fake.given).to.have.length(2);
    for (const key of bench.fake.given) expect(key.equals(Buffer.alloc(32))).to.equal(true);
  });

  it("leaves no timer behind", async () => {
    const { kms, clock } = new Bench();
    await kms.generate(context);
    expect(clock.pendingTimers).to.equal(0);
  });
});

describe("KMS circuit breaker", () => {
  const open = async (bench: Bench): Promise<void> => {
    bench.fake.before = unavailable;
    expect(await bench.codeWithin(3000)).to.equal("kms_unavailable");
  };

  it("E-05: fails at once after a failed call, and tries again only after a back-off", async () => {
    const bench = new Bench({ backOffMs: 60_000, longestBackOffMs: 60_000 });
    await open(bench);
    const before = bench.fake.calls.length;
    for (let index = 0; index < 50; index += 1) expect(await bench.codeWithin(0)).to.equal("kms_unavailable");
    expect(bench.fake.calls).to.have.length(before);
    bench.fake.before = () => undefined;
    await bench.clock.pass(60_000);
    await bench.kms.generate(context);
    await bench.kms.generate(context);
    expect(bench.fake.calls).to.have.length(before + 2);
  });

  it("lets one call try while the others still fail at once", async () => {
    const bench = new Bench({ backOffMs: 1000 });
    await open(bench);
    await bench.clock.pass(1000);
    const going: (() => void)[] = [];
    bench.fake.before = () => new Promise((resolve) => void going.push(resolve));
    const trial = bench.kms.generate(context);
    expect(await bench.codeWithin(0)).to.equal("kms_unavailable");
    expect(going).to.have.length(1);
    going[0]!();
    await trial;
    bench.fake.before = () => undefined;
    await bench.kms.generate(context);
  });

  it("backs off longer each time, up to a limit", async () => {
    const bench = new Bench({ attempts: 1, backOffMs: 100, longestBackOffMs: 400 });
    bench.random = 1;
    bench.fake.before = unavailable;
    const attemptsAt: number[] = [];
    const start = bench.clock.monotonicMs();
    for (let ms = 0; ms < 2000; ms += 10) {
      const before = bench.fake.calls.length;
      await failureCode(() => bench.kms.generate(context));
      if (bench.fake.calls.length > before) attemptsAt.push(bench.clock.monotonicMs() - start);
      await bench.clock.pass(10);
    }
    expect(attemptsAt).to.deep.equal([0, 100, 300, 700, 1100, 1500, 1900]);
  });

  it("closes on any answer, a refusal too", async () => {
    const bench = new Bench({ backOffMs: 100 });
    await open(bench);
    await bench.clock.pass(100);
    bench.fake.before = denied;
    expect(await bench.codeWithin(0)).to.equal("kms_denied");
    expect(await bench.codeWithin(0)).to.equal("kms_denied");
  });

  it("shows in the metrics", async () => {
    const bench = new Bench({ backOffMs: 100 });
    await open(bench);
    await bench.clock.pass(100);
    bench.fake.before = () => undefined;
    await bench.kms.generate(context);
    const states = bench.metrics.of("sealwright_kms_breaker_open").map(({ value }) => value);
    expect(states).to.deep.equal([0, 1, 0]);
  });
});

describe("KMS metrics", () => {
  it("counts every call that reaches the service, by outcome, and none that does not", async () => {
    const bench = new Bench({ attempts: 3, backOffMs: 60_000, longestBackOffMs: 60_000 });
    const { wrapped } = await bench.kms.generate(context);
    await bench.kms.unwrap(wrapped, context);
    await bench.kms.wrap(Buffer.alloc(32), context);
    bench.fake.before = unavailable;
    await bench.codeWithin(3000);
    await bench.codeWithin(0);
    const counted = bench.metrics
      .of("sealwright_kms_calls_total")
      .map(({ labels }) => `${labels["kek"] ?? ""} ${labels["operation"] ?? ""} ${labels["outcome"] ?? ""}`);
    expect(counted).to.deep.equal([
      "main generate ok",
      "main unwrap ok",
      "main wrap ok",
      ...Array<string>(3).fill("main generate kms_unavailable"),
    ]);
    expect(bench.metrics.of("sealwright_kms_seconds")).to.have.length(6);
  });
});
