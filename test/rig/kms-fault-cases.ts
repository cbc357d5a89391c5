import { inspect } from "node:util";
import { expect } from "chai";

import type { SealwrightError } from "../../src/base/sealwright-error.ts";
import { rootContext } from "../../src/kms/context.ts";
import { failureCode, failureOf } from "./failure-code.ts";
import type { FrontFault } from "./fault-front.ts";
import { brisk, calm, context, type KmsConformanceCase } from "./kms-bench.ts";

/** What becomes of calls while the service, the network or the credentials are not as they should be. */
export const faultCases: readonly KmsConformanceCase[] = [
  {
    name: "throttled, then answered",
    title: "is busy, not broken, while it is throttled, and answers again",
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      const answers = bench.traits.throttled ?? [];
      expect(answers, "throttled shapes").to.not.be.empty;
      for (const answer of answers) {
        const what = `${answer.status} ${answer.body.slice(0, 40)}`;
        bench.front.fault = once({ kind: "answer", ...answer });
        expect((await kms.unwrap(wrapped, context)).equals(plaintext), `${what}, once`).to.equal(true);
        bench.front.fault = () => ({ kind: "answer", ...answer });
        expect(await failureCode(() => kms.unwrap(wrapped, context)), what).to.equal("kms_unavailable");
        await new Promise((settle) => setTimeout(settle, 5));
        expect(await failureCode(() => kms.generate(context)), what).to.equal("kms_unavailable");
        bench.front.mend();
        expect((await calm(() => kms.unwrap(wrapped, context))).equals(plaintext), `${what}, over`).to.equal(true);
      }
    },
  },
  {
    name: "5 s slow",
    title: "is out of reach, in time, when answers come after 5 s",
    slow: true,
    run: async (bench) => {
      const kms = await bench.open(bench.stage.kek, brisk);
      const { wrapped } = await calm(() => kms.generate(context));
      bench.front.fault = () => ({ kind: "slow", ms: 5_000 });
      await bench.expectDark(kms, wrapped, "slow");
      bench.front.mend();
      await calm(() => kms.generate(context));
    },
  },
  {
    name: "hang",
    title: "is out of reach, in time, when no answer comes",
    slow: true,
    run: async (bench) => {
      const kms = await bench.open(bench.stage.kek, brisk);
      const { wrapped } = await calm(() => kms.generate(context));
      bench.front.fault = () => ({ kind: "hang" });
      await bench.expectDark(kms, wrapped, "hang");
      bench.front.mend();
      await calm(() => kms.generate(context));
    },
  },
  {
    name: "reset mid-answer",
    title: "takes no half of an answer, and asks again",
    slow: true,
    run: async (bench) => {
      const kms = await bench.open(bench.stage.kek, brisk);
      const { plaintext, wrapped } = await calm(() => kms.generate(context));
      bench.front.fault = once({ kind: "reset" });
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "once").to.equal(true);
      bench.front.fault = () => ({ kind: "reset" });
      await bench.expectDark(kms, wrapped, "always");
      bench.front.mend();
      await calm(() => kms.generate(context));
      bench.front.fault = once({ kind: "stall" });
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "stalled once").to.equal(true);
      bench.front.fault = () => ({ kind: "stall" });
      await bench.expectDark(kms, wrapped, "stalled always");
    },
  },
  {
    name: "garbage",
    title: "takes no page for an answer",
    run: async (bench) => {
      const kms = await bench.open(bench.stage.kek, brisk);
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
        bench.front.fault = () => ({ kind: "answer", ...page });
        const calls = [
          () => kms.generate(context),
          () => kms.unwrap(wrapped, context),
          () => kms.wrap(Buffer.alloc(32, 1), context),
          () => kms.rewrap(wrapped, context),
        ];
        for (const call of calls) expect(await failureCode(call), JSON.stringify(page)).to.equal("kms_broken");
      }
    },
  },
  {
    name: "wrong certificate, nothing sent",
    title: "sends nothing to whom it cannot trust",
    run: async (bench) => {
      const { wrapped } = await (await bench.open()).generate(context);
      const kms = await bench.openAnew(bench.stage.kek, brisk);
      for (const face of ["other name", "other authority", "expired"] as const) {
        bench.front.show(face);
        const before = bench.front.requests;
        expect(await failureCode(() => kms.unwrap(wrapped, context)), face).to.equal("kms_unavailable");
        expect(await failureCode(() => kms.generate(context)), face).to.equal("kms_unavailable");
        expect(bench.front.requests - before, `${face}: requests`).to.equal(0);
      }
    },
  },
  {
    name: "TLS 1.2 only",
    title: "speaks TLS 1.2 only where the file says so",
    run: async (bench) => {
      const { plaintext, wrapped } = await (await bench.open()).generate(context);
      bench.front.show("TLS 1.2 only");
      const before = bench.front.requests;
      const strict = await bench.openAnew(bench.stage.kek, brisk);
      expect(await failureCode(() => strict.unwrap(wrapped, context))).to.equal("kms_unavailable");
      expect(bench.front.requests - before, "requests").to.equal(0);
      if (bench.stage.lenientKek === undefined) return;
      const lenient = await bench.open(bench.stage.lenientKek);
      expect((await lenient.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    },
  },
  {
    name: "credentials renewed mid-run",
    title: "goes on with new credentials when the old ones end",
    slow: true,
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      await bench.stage.renewCredentials?.();
      for (let turn = 0; turn < 3; turn += 1)
        expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    },
  },
  {
    name: "errors tell no secret",
    title: "tells neither keys nor wraps nor credentials in errors",
    run: async (bench) => {
      const kms = await bench.open(bench.stage.kek, brisk);
      const { plaintext, wrapped } = await kms.generate(context);
      const errors: SealwrightError[] = [await failureOf(() => kms.unwrap(wrapped, rootContext))];
      if (bench.stage.front !== undefined) {
        const faults: readonly FrontFault[] = [
          { kind: "answer", status: 500, type: "application/json", body: "{}" },
          { kind: "answer", status: 403, type: "application/json", body: "{}" },
          { kind: "answer", status: 200, type: "application/json", body: "{}" },
          { kind: "reset" },
        ];
        for (const fault of faults) {
          bench.front.fault = () => fault;
          errors.push(await failureOf(() => kms.unwrap(wrapped, context)));
          errors.push(await failureOf(() => kms.wrap(plaintext, context)));
        }
      }
      for (const error of errors) {
        const shown = JSON.stringify([error.message, error.facts, error.stack]);
        for (const secret of [...bench.stage.secrets, ...spellings(plaintext), ...spellings(wrapped)])
          expect(shown.includes(secret), error.code).to.equal(false);
        // The cause is for debuggers; keys and credentials stand not even there.
        const deep = inspect(error, { depth: 12, showHidden: false, maxStringLength: 100_000, maxArrayLength: 10_000 });
        for (const secret of [...bench.stage.secrets, ...spellings(plaintext)])
          expect(deep.includes(secret), `${error.code}, cause`).to.equal(false);
      }
    },
  },
];

/** The first request only. */
function once(fault: FrontFault): () => FrontFault | undefined {
  let left = 1;
  return () => (left-- > 0 ? fault : undefined);
}

const spellings = (bytes: Buffer): readonly string[] => [
  bytes.toString("hex"),
  bytes.toString("base64"),
  bytes.toString("base64url"),
];
