import { inspect } from "node:util";
import { expect } from "chai";

import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { SealwrightError } from "../../src/base/sealwright-error.ts";
import { dataContext, rootContext, type KmsContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KmsConfig, KmsPatience } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { failureCode, failureOf } from "./failure-code.ts";
import type { FaultFront, FrontFault } from "./fault-front.ts";
import type { KmsMatrix } from "./kms-matrix.ts";
import { kmsCases, type KmsCase, type KmsStage, type KmsTraits } from "./kms-stage.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });
/** Short, so that what never answers costs little; no back-off, so that cases do not wait for one another. */
const brisk: Partial<KmsPatience> = { attemptMs: 400, attempts: 3, callMs: 1200, backOffMs: 1, longestBackOffMs: 1 };
/** What a call may take at most beyond its limit, on a machine that does other things too. */
const marginMs = 800;

/** Runs every case of the port's contract against one provider, and writes what came of it into the matrix. */
export function describeKmsConformance(
  provider: string,
  startStage: () => Promise<KmsStage>,
  { traits = {}, matrix }: { readonly traits?: KmsTraits; readonly matrix: KmsMatrix },
): void {
  describe(`KMS port, ${provider}`, function () {
    this.timeout(60_000);
    let stage: KmsStage;
    const opened: Kms[] = [];
    const tried = new Set<KmsCase>();

    before(async () => {
      stage = await startStage();
    });
    afterEach(async () => {
      stage.front?.mend();
      for (const kms of opened.splice(0)) await kms.close();
    });
    after(async () => {
      for (const name of kmsCases) {
        const reason = traits.notApplicable?.[name];
        if (reason !== undefined) matrix.set(provider, name, `n/a: ${reason}`);
      }
      await stage[Symbol.asyncDispose]();
    });

    async function open(config: KmsConfig = stage.kek, patience: Partial<KmsPatience> = {}): Promise<Kms> {
      const ports = { clock: systemClock, log: silentLog, metrics: new RecordedMetrics(), random: Math.random };
      const kms = await openKms("main", { ...config, patience: { ...config.patience, ...patience } }, ports);
      opened.push(kms);
      return kms;
    }

    function conforms(name: KmsCase, title: string, body: () => Promise<void>): void {
      tried.add(name);
      if (traits.notApplicable?.[name] !== undefined) return;
      it(title, async () => {
        matrix.set(provider, name, "NO");
        await body();
        matrix.set(provider, name, "yes");
      });
    }

    function front(): FaultFront {
      if (stage.front === undefined) throw new Error(`${provider} has no front and no reason why not`);
      return stage.front;
    }

    /** "Not mine", and in no other words but those that the stand-in is known for. */
    async function expectRefused(call: () => Promise<unknown>, what: string): Promise<void> {
      expect(await failureCode(call), what).to.be.oneOf(["kms_not_mine", ...(traits.alsoRefusedBy ?? [])]);
    }

    /** Each of these calls ends with `code`, in the time of one call. */
    async function expectEnd(kms: Kms, code: string, what: string): Promise<void> {
      const wrapped = Buffer.alloc(64, 1);
      for (const call of [() => kms.generate(context), () => kms.unwrap(wrapped, context)]) {
        const started = performance.now();
        expect(await failureCode(call), what).to.equal(code);
        expect(performance.now() - started, `${what}, ms`).to.be.below(1200 + marginMs);
      }
    }

    conforms("round trip", "gives back what it generated and what it wrapped", async () => {
      const kms = await open();
      const { plaintext, wrapped } = await kms.generate(context);
      expect(plaintext).to.have.length(32);
      expect(wrapped.length).to.be.within(1, 0xffff);
      expect(wrapped.includes(plaintext), "the key in clear in its wrap").to.equal(false);
      expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      const own = Buffer.alloc(32, 7);
      const [one, two] = [await kms.wrap(own, context), await kms.wrap(own, context)];
      expect(own.equals(Buffer.alloc(32, 7)), "left as it is").to.equal(true);
      expect((await kms.unwrap(one, context)).equals(own)).to.equal(true);
      // By another process that has the same configuration.
      expect((await (await open()).unwrap(two, context)).equals(own)).to.equal(true);
      const again = await kms.generate(context);
      expect(again.plaintext.equals(plaintext)).to.equal(false);
      const root = await kms.generate(rootContext);
      expect((await kms.unwrap(root.wrapped, rootContext)).equals(root.plaintext)).to.equal(true);
    });

    conforms("rewrap", "wraps the same key anew, under its own context only", async () => {
      const kms = await open();
      const { plaintext, wrapped } = await kms.generate(context);
      const anew = await kms.rewrap(wrapped, context);
      expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "the old wrap").to.equal(true);
      const other = dataContext({ tenant: "t2", dataset: "patients" });
      await expectRefused(() => kms.unwrap(anew, other), "the new wrap, another context");
      // Services that cannot tell while they rewrap give bytes that then open nowhere but where they did.
      const moved = await kms.rewrap(wrapped, other).catch(() => undefined);
      if (moved !== undefined) await expectRefused(() => kms.unwrap(moved, other), "moved by a rewrap");
    });

    conforms(
      "rewrap to a new version",
      "opens old wraps after the KEK has a new version, and moves them to it",
      async () => {
        const kms = await open();
        const { plaintext, wrapped } = await kms.generate(context);
        await stage.rotate?.();
        expect((await kms.unwrap(wrapped, context)).equals(plaintext), "old wrap").to.equal(true);
        const anew = await kms.rewrap(wrapped, context);
        expect(anew.equals(wrapped)).to.equal(false);
        expect((await kms.unwrap(anew, context)).equals(plaintext), "new wrap").to.equal(true);
      },
    );

    conforms("context bound", "opens a key under its own context and no other", async () => {
      const kms = await open();
      const { plaintext, wrapped } = await kms.generate(context);
      const others: readonly KmsContext[] = [
        dataContext({ tenant: "t2", dataset: "patients" }),
        dataContext({ tenant: "t1", dataset: "people" }),
        dataContext({ tenant: "patients", dataset: "t1" }),
        dataContext({ tenant: "t1" }),
        dataContext({ dataset: "patients" }),
        dataContext({}),
        rootContext,
      ];
      for (const other of others) await expectRefused(() => kms.unwrap(wrapped, other), JSON.stringify(other));
      const swapped = Object.fromEntries(Object.entries(context).reverse());
      expect((await kms.unwrap(wrapped, swapped)).equals(plaintext), "order of members").to.equal(true);
    });

    conforms("contexts that join to one text", "E-02: keeps contexts apart that join to one text", async () => {
      const kms = await open();
      const pairs: readonly (readonly [KmsContext, KmsContext])[] = [
        [dataContext({ tenant: "a.b", dataset: "c" }), dataContext({ tenant: "a", dataset: "b.c" })],
        [dataContext({ tenant: "a", dataset: "patients" }), dataContext({ tenant: "a-patients" })],
        [dataContext({ tenant: "a_b" }), dataContext({ tenant: "a-b" })],
        [dataContext({ tenant: "A" }), dataContext({ tenant: "a" })],
        [dataContext({ tenant: "root" }), rootContext],
      ];
      for (const [one, two] of pairs) {
        const { wrapped } = await kms.generate(one);
        await expectRefused(() => kms.unwrap(wrapped, two), `${JSON.stringify(one)} as ${JSON.stringify(two)}`);
      }
    });

    conforms("another key", "takes no key for its own that another KEK wrapped", async () => {
      const [kms, other] = [await open(), await open(stage.otherKek)];
      const { plaintext, wrapped } = await other.generate(context);
      await expectRefused(() => kms.unwrap(wrapped, context), "unwrap");
      await expectRefused(() => kms.rewrap(wrapped, context), "rewrap");
      expect((await other.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    });

    conforms("tampered", "opens nothing of which a bit was turned", async () => {
      const kms = await open();
      const { wrapped } = await kms.generate(context);
      for (const index of samplesOf(wrapped.length)) {
        const changed = Buffer.from(wrapped);
        changed.writeUInt8(changed.readUInt8(index) ^ 0x01, index);
        await expectRefused(() => kms.unwrap(changed, context), `byte ${index} of ${wrapped.length}`);
      }
    });

    conforms("cut, empty, far too long", "opens nothing that was cut, is empty or far too long", async () => {
      const kms = await open();
      const { wrapped } = await kms.generate(context);
      for (const length of samplesOf(wrapped.length).slice(0, -1))
        await expectRefused(() => kms.unwrap(wrapped.subarray(0, length), context), `cut at ${length}`);
      await expectRefused(() => kms.unwrap(wrapped.subarray(0, -1), context), "the last byte gone");
      await expectRefused(() => kms.unwrap(Buffer.concat([wrapped, Buffer.alloc(1)]), context), "a byte more");
      await expectRefused(() => kms.unwrap(Buffer.alloc(0), context), "empty");
      await expectRefused(() => kms.unwrap(Buffer.alloc(65_536, 1), context), "64 KiB");
    });

    conforms("throttled, then answered", "is busy, not broken, while it is throttled, and answers again", async () => {
      const kms = await open();
      const { plaintext, wrapped } = await kms.generate(context);
      const answers = traits.throttled ?? [];
      expect(answers, "throttled shapes").to.not.be.empty;
      for (const answer of answers) {
        const what = `${answer.status} ${answer.body.slice(0, 40)}`;
        front().fault = once({ kind: "answer", ...answer });
        expect((await kms.unwrap(wrapped, context)).equals(plaintext), `${what}, once`).to.equal(true);
        front().fault = () => ({ kind: "answer", ...answer });
        expect(await failureCode(() => kms.unwrap(wrapped, context)), what).to.equal("kms_unavailable");
        expect(await failureCode(() => open().then((other) => other.generate(context))), what).to.equal(
          "kms_unavailable",
        );
        front().mend();
        expect((await calm(() => kms.unwrap(wrapped, context))).equals(plaintext), `${what}, over`).to.equal(true);
      }
    });

    conforms("5 s slow", "is out of reach, in time, when answers come after 5 s", async () => {
      const kms = await open(stage.kek, brisk);
      await calm(() => kms.generate(context));
      front().fault = () => ({ kind: "slow", ms: 5_000 });
      await expectEnd(kms, "kms_unavailable", "slow");
      front().mend();
      await calm(() => kms.generate(context));
    });

    conforms("hang", "is out of reach, in time, when no answer comes", async () => {
      const kms = await open(stage.kek, brisk);
      front().fault = () => ({ kind: "hang" });
      await expectEnd(kms, "kms_unavailable", "hang");
      front().mend();
      await calm(() => kms.generate(context));
    });

    conforms("reset mid-answer", "takes no half of an answer, and asks again", async () => {
      const kms = await open(stage.kek, brisk);
      const { plaintext, wrapped } = await calm(() => kms.generate(context));
      front().fault = once({ kind: "reset" });
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "once").to.equal(true);
      front().fault = () => ({ kind: "reset" });
      await expectEnd(kms, "kms_unavailable", "always");
      front().mend();
      await calm(() => kms.generate(context));
      front().fault = once({ kind: "stall" });
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "stalled once").to.equal(true);
      front().fault = () => ({ kind: "stall" });
      await expectEnd(kms, "kms_unavailable", "stalled always");
    });

    conforms("garbage", "takes no page for an answer", async () => {
      const kms = await open(stage.kek, brisk);
      const { wrapped } = await calm(() => kms.generate(context));
      const pages = [
        { status: 200, type: "text/html", body: "<html>sign in</html>" },
        { status: 200, type: "application/json", body: "" },
        { status: 200, type: "application/json", body: "{}" },
        { status: 200, type: "application/json", body: '{"data":null}' },
        { status: 302, type: "text/html", body: "" },
        { status: 200, type: "application/json", body: "[[[[" },
      ];
      for (const page of pages) {
        front().fault = () => ({ kind: "answer", ...page });
        const calls = [
          () => kms.generate(context),
          () => kms.unwrap(wrapped, context),
          () => kms.wrap(Buffer.alloc(32, 1), context),
          () => kms.rewrap(wrapped, context),
        ];
        for (const call of calls) expect(await failureCode(call), JSON.stringify(page)).to.equal("kms_broken");
      }
    });

    conforms("wrong certificate, nothing sent", "sends nothing to whom it cannot trust", async () => {
      const { wrapped } = await (await open()).generate(context);
      for (const face of ["other name", "other authority", "expired"] as const) {
        front().show(face);
        const before = front().requests;
        const kms = await open(stage.kek, brisk);
        expect(await failureCode(() => kms.unwrap(wrapped, context)), face).to.equal("kms_unavailable");
        expect(await failureCode(() => kms.generate(context)), face).to.equal("kms_unavailable");
        expect(front().requests - before, `${face}: requests`).to.equal(0);
      }
    });

    conforms("TLS 1.2 only", "speaks TLS 1.2 only where the file says so", async () => {
      const { plaintext, wrapped } = await (await open()).generate(context);
      front().show("TLS 1.2 only");
      const before = front().requests;
      const strict = await open(stage.kek, brisk);
      expect(await failureCode(() => strict.unwrap(wrapped, context))).to.equal("kms_unavailable");
      expect(front().requests - before, "requests").to.equal(0);
      const lenient = await open({ ...stage.kek, minVersion: "TLSv1.2" } as KmsConfig);
      expect((await lenient.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    });

    conforms("credentials renewed mid-run", "goes on with new credentials when the old ones end", async () => {
      const kms = await open();
      const { plaintext, wrapped } = await kms.generate(context);
      await stage.renewCredentials?.();
      for (let turn = 0; turn < 3; turn += 1)
        expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    });

    conforms("50 at once", "answers fifty at once, each with its own", async () => {
      const kms = await open();
      const made = await Promise.all(Array.from({ length: 50 }, () => kms.generate(context)));
      const back = await Promise.all(made.map(({ wrapped }) => kms.unwrap(wrapped, context)));
      expect(back.map((key, index) => made[index]?.plaintext.equals(key))).to.deep.equal(Array(50).fill(true));
      expect(new Set(made.map(({ plaintext }) => plaintext.toString("hex"))).size).to.equal(50);
    });

    conforms("closed", "does nothing once closed", async () => {
      const kms = await open();
      const { wrapped } = await kms.generate(context);
      await kms.close();
      await kms.close();
      const before = stage.front?.requests;
      const calls = [
        () => kms.generate(context),
        () => kms.unwrap(wrapped, context),
        () => kms.wrap(Buffer.alloc(32, 1), context),
        () => kms.rewrap(wrapped, context),
      ];
      for (const call of calls) expect(await failureCode(call)).to.equal("kms_unavailable");
      expect(stage.front?.requests, "requests").to.equal(before);
    });

    conforms("keys are owned buffers", "hands out keys that share their memory with nothing", async () => {
      const kms = await open();
      const { plaintext, wrapped } = await kms.generate(context);
      const back = await kms.unwrap(wrapped, context);
      for (const key of [plaintext, back]) expect(key.buffer.byteLength, "bytes of the memory").to.equal(32);
      plaintext.fill(0);
      expect(back.equals(plaintext), "the other copy").to.equal(false);
    });

    conforms("errors tell no secret", "tells neither keys nor wraps nor credentials in errors", async () => {
      const kms = await open(stage.kek, brisk);
      const { plaintext, wrapped } = await kms.generate(context);
      const errors: SealwrightError[] = [await failureOf(() => kms.unwrap(wrapped, rootContext))];
      if (stage.front !== undefined) {
        const faults: readonly FrontFault[] = [
          { kind: "answer", status: 500, type: "application/json", body: "{}" },
          { kind: "answer", status: 403, type: "application/json", body: "{}" },
          { kind: "answer", status: 200, type: "application/json", body: "{}" },
          { kind: "reset" },
        ];
        for (const fault of faults) {
          front().fault = () => fault;
          errors.push(await failureOf(() => kms.unwrap(wrapped, context)));
          errors.push(await failureOf(() => kms.wrap(plaintext, context)));
        }
      }
      for (const error of errors) {
        const shown = JSON.stringify([error.message, error.facts, error.stack]);
        for (const secret of [...stage.secrets, ...spellings(plaintext), ...spellings(wrapped)])
          expect(shown.includes(secret), error.code).to.equal(false);
        // The cause is for debuggers; keys and credentials stand not even there.
        const deep = inspect(error, { depth: 12, showHidden: false, maxStringLength: 100_000, maxArrayLength: 10_000 });
        for (const secret of [...stage.secrets, ...spellings(plaintext)])
          expect(deep.includes(secret), `${error.code}, cause`).to.equal(false);
      }
    });

    it("has a case or a reason for every row of the matrix", () => {
      expect(kmsCases.filter((name) => !tried.has(name))).to.deep.equal([]);
    });
  });
}

/** The first request only. */
function once(fault: FrontFault): () => FrontFault | undefined {
  let left = 1;
  return () => (left-- > 0 ? fault : undefined);
}

/** Calls until the circuit breaker lets it through again. */
async function calm<T>(call: () => Promise<T>): Promise<T> {
  for (const limit = Date.now() + 10_000; ;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await new Promise((settle) => setTimeout(settle, 20));
    }
  }
}

/** Both ends whole and a sample of what is between. */
function samplesOf(length: number): readonly number[] {
  const step = Math.max(1, Math.floor(length / 24));
  return Array.from({ length }, (_, index) => index).filter(
    (index) => index < 4 || index >= length - 2 || index % step === 0,
  );
}

const spellings = (bytes: Buffer): readonly string[] => [
  bytes.toString("hex"),
  bytes.toString("base64"),
  bytes.toString("base64url"),
];
