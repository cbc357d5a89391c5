import { expect } from "chai";
import { randomBytes } from "node:crypto";

import { contextBytes } from "../../src/kms/context.ts";
import { referenceSeal } from "../crypto/reference.ts";
import { abuse, codeOf, statusOf, type AbuseCase } from "../rig/abuse-case.ts";
import { json, mapped } from "../rig/document.ts";
import { readEnvelope } from "../rig/envelope.ts";
import { internalFailure, KmsStandIn, type KmsAnswer } from "../rig/kms-stand-in.ts";
import { secretDigits, t1, t2 } from "../rig/rig.ts";

const newTenant = (): string => `e-${randomBytes(4).toString("hex")}-${secretDigits}`;

/** A sealed value whose data key the test knows, wrapped as somebody with access to the key service could. */
function crafted(
  test: AbuseCase,
  tenant: string,
  more: { readonly kek?: string; readonly wrapped?: Buffer } = {},
): string {
  const dek = randomBytes(32);
  const wrapped = more.wrapped ?? test.rig.kms.wrap(dek, { sealwright: "v1", tenant, dataset: "patients" });
  return referenceSeal({
    dek: dek.toString("hex"),
    suite: 1,
    form: 1,
    tenant,
    dataset: "patients",
    field: "ssn",
    record: "",
    plaintext: Buffer.from(`"${test.canary}"`).toString("hex"),
    nonce: randomBytes(24).toString("hex"),
    kek: more.kek ?? "main",
    wrapped: wrapped.toString("hex"),
  });
}

/** Waits until the key service is asked again after failures. */
async function recovered(test: AbuseCase): Promise<void> {
  test.rig.kms.fault = () => undefined;
  for (const deadline = Date.now() + 5_000; Date.now() < deadline;) {
    const written = await test.rig.send({ target: test.newPath(), body: '{"ssn":"x"}', tenant: newTenant() });
    if (statusOf(written.answers[0]) === 204) return;
    await new Promise((settle) => setTimeout(settle, 50));
  }
  expect.fail("the key service was not asked again");
}

describe("E: the key service and what is kept of its answers", () => {
  abuse(
    "E-01 a data key that belongs to another context is never used",
    async (test) => {
      let other: KmsAnswer | undefined;
      test.rig.kms.fault = (call) =>
        call.operation !== "GenerateDataKey"
          ? undefined
          : { kind: "answer", edit: (answer) => ([answer, other] = [other ?? answer, answer])[0] };
      await test.seals(json`{"ssn":${mapped(`"${test.canary}"`)}}`, { tenant: newTenant() });
      const before = test.mark.requests.length;
      const written = await test.rig.send({
        target: test.newPath(),
        body: `{"ssn":"${test.canary}"}`,
        tenant: newTenant(),
      });
      test.expectRefusal(written.answers[0], ["kms_broken", "kms_denied"]);
      expect(test.mark.requests.length, "requests at the upstream").to.equal(before);
    },
    { forms: ["inline"], kmsCalls: 4 },
  );

  abuse(
    "E-01 an unwrapped key that is not the one asked for, too short, or of another KEK is never used",
    async (test) => {
      const edits: ((answer: KmsAnswer) => KmsAnswer)[] = [
        (answer) => ({ ...answer, Plaintext: randomBytes(32).toString("base64") }),
        (answer) => ({ ...answer, Plaintext: randomBytes(31).toString("base64") }),
        (answer) => ({ ...answer, Plaintext: "" }),
        (answer) => ({ ...answer, KeyId: answer["KeyId"]!.replace(/1$/u, "2") }),
        () => ({}),
      ];
      for (const edit of edits) {
        for (const operation of ["GenerateDataKey", "Decrypt"]) {
          test.rig.kms.fault = (call) => (call.operation === operation ? { kind: "answer", edit } : undefined);
          const body = `{"ssn":"${test.canary}"}`;
          const written = await test.rig.send({ target: test.newPath(), body, tenant: newTenant() });
          test.expectRefusal(written.answers[0], ["kms_broken", "kms_denied"]);
        }
      }
      expect(test.mark.requests).to.be.empty;
    },
    { forms: ["inline"], kmsCalls: 20 },
  );

  abuse(
    "E-02 scopes whose names join to one text have keys of their own",
    async (test) => {
      const names = ["a", "a-patients", "a.people", "a_b", "a-b", "A"].map((name) => `${name}-${secretDigits}`);
      const ids = new Set<string>();
      for (const tenant of names) {
        for (const base of ["/v1/patients", "/v1/people"]) {
          const document = json`{"ssn":${mapped(`"${test.canary}"`)}}`;
          const [token = ""] = await test.seals(document, { target: test.newPath(base), tenant });
          ids.add(readEnvelope(token).keyId);
        }
      }
      expect(ids.size).to.equal(names.length * 2);
      expect(contextBytes({ a: "1,b=2" })).to.not.deep.equal(contextBytes({ a: "1", b: "2" }));
    },
    { forms: ["inline"], kmsCalls: 6 * 2 * 2 },
  );

  abuse("E-03 a value that names a key which the file does not list costs no call", async (test) => {
    const path = test.newPath();
    for (const kek of ["other", "alias-main", "arn-aws-kms-us-east-1-999988887777-key-1"]) {
      test.rig.upstream.plant(path, `{"ssn":"${crafted(test, t1, { kek })}"}`);
      await test.failsToOpen(path);
    }
    // Names that are no names: the envelope does not parse.
    for (const kek of ["alias/main", "arn:aws:kms:us-east-1:999988887777:key/1", "MAIN", ""]) {
      test.rig.upstream.plant(path, `{"ssn":"${crafted(test, t1, { kek })}"}`);
      await test.failsToOpen(path);
    }
    expect(test.mark.calls).to.be.empty;
  });

  abuse(
    "E-03 another key's wrap under the name of a listed KEK costs one call, is asked of the listed key only, and is remembered",
    async (test) => {
      const tenant = newTenant();
      const context = { sealwright: "v1", tenant, dataset: "patients" };
      const foreignKeys = [
        "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000002",
        "arn:aws:kms:us-east-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef",
        "arn:aws:kms:eu-west-1:999988887777:key/0a1b2c3d-0000-4000-8000-000000000003",
      ];
      const path = test.newPath();
      for (const keyId of foreignKeys) {
        const foreign = await KmsStandIn.start(keyId);
        const wrapped = foreign.wrap(randomBytes(32), context);
        await foreign.stop();
        test.rig.upstream.plant(path, `{"ssn":"${crafted(test, tenant, { wrapped })}"}`);
        for (let turn = 0; turn < 20; turn++) await test.failsToOpen(path, { tenant });
      }
      expect(test.mark.calls).to.have.length(test.rig.form === "inline" ? foreignKeys.length : 0);
      for (const call of test.mark.calls) expect(call.keyId).to.equal(test.rig.kms.keyId);
    },
    { kmsCalls: 3 },
  );

  abuse(
    "E-04 garbage keys are bounded per tenant, remembered, and no other tenant waits",
    async (test) => {
      const tenant = newTenant();
      const garbage = Array.from({ length: 1_000 }, () => crafted(test, tenant, { wrapped: randomBytes(60) }));
      const item = (token: string): string => `{"_id":"1","ssn":"${token}"}`;
      test.rig.upstream.plant("/v1/patients", `{"items":[${garbage.map(item).join(",")}]}`);
      const refusedBefore = await refusals(test);
      await test.failsToOpen("/v1/patients", { tenant });
      expect(test.mark.calls.length, "calls for a thousand in one answer").to.be.at.most(64);
      const refused = (await refusals(test)) - refusedBefore;
      expect(refused, "refusals in the metrics").to.equal(test.mark.calls.length);

      const started = performance.now();
      const path = test.newPath();
      for (const [index, token] of garbage.entries()) {
        test.rig.upstream.plant(path, `{"ssn":"${token}"}`);
        await test.failsToOpen(path, { tenant });
        if (index % 100 === 0) await test.seals(json`{"ssn":${mapped(`"${test.canary}"`)}}`, { tenant: t2 });
      }
      const seconds = (performance.now() - started) / 1000;
      expect(test.mark.calls.length, "calls for a thousand answers").to.be.at.most(20 + 20 * (seconds + 1));

      const before = test.mark.calls.length;
      const known = garbage.find((token) => test.mark.calls.some((call) => asked(call.raw, token)));
      test.rig.upstream.plant(path, `{"ssn":"${known ?? garbage[0]!}"}`);
      for (let i = 0; i < 20; i++) await test.failsToOpen(path, { tenant });
      expect(test.mark.calls.length, "calls for what is known to be garbage").to.equal(before);
    },
    { kmsCalls: 20 + 20 * 20 },
  );

  abuse(
    "E-05 five hundred first requests of one tenant share one key",
    async (test) => {
      const tenant = newTenant();
      const body = `{"ssn":"${test.canary}"}`;
      const all = await Promise.all(
        Array.from({ length: 500 }, () => test.rig.send({ target: test.newPath(), body, tenant })),
      );
      expect(new Set(all.map((outcome) => statusOf(outcome.answers[0])))).to.deep.equal(new Set([204]));
      const operations = test.mark.calls.map((call) => call.operation).sort();
      expect(operations).to.deep.equal(test.rig.form === "inline" ? ["Decrypt", "GenerateDataKey"] : []);
    },
    { kmsCalls: 2, stallMs: 400 },
  );

  abuse(
    "E-05 when the one call fails all fail, and the next attempt waits",
    async (test) => {
      test.rig.kms.fault = () => internalFailure;
      const tenant = newTenant();
      const burst = (): Promise<string[]> =>
        Promise.all(
          Array.from({ length: 500 }, async () => {
            const body = `{"ssn":"${test.canary}"}`;
            return codeOf((await test.rig.send({ target: test.newPath(), body, tenant })).answers[0]);
          }),
        );
      expect(new Set(await burst())).to.deep.equal(new Set(["kms_unavailable"]));
      // One call of three attempts, or two where stragglers came after the first had failed.
      expect(test.mark.calls.length).to.be.within(1, 6);
      expect(test.mark.requests).to.be.empty;
      await recovered(test);
    },
    { forms: ["inline"], kmsCalls: 12, stallMs: 400 },
  );

  abuse(
    "E-06 a key that came with a value opens and never seals",
    async (test) => {
      const tenant = newTenant();
      const path = test.newPath();
      const token = crafted(test, tenant);
      test.rig.upstream.plant(path, `{"ssn":"${token}"}`);
      if (test.rig.form === "inline") await test.reads(path, Buffer.from(`{"ssn":"${test.canary}"}`), { tenant });
      else await test.failsToOpen(path, { tenant });
      const document = json`{"ssn":${mapped(`"${test.canary}"`)}}`;
      const [own = ""] = await test.seals(document, { tenant });
      expect(readEnvelope(own).keyId).to.not.equal(readEnvelope(token).keyId.slice(0, readEnvelope(own).keyId.length));
    },
    { kmsCalls: 3 },
  );

  abuse("E-09 contexts hold the scope and nothing of a record", async (test) => {
    await test.seals(json`{"id":"record-1","ssn":${mapped(`"${test.canary}"`)}}`);
    const allowed = {
      sealwright: /^v1$/u,
      purpose: /^root$/u,
      dataset: /^(patients|people|moving)$/u,
      tenant: /^[\w.-]+$/u,
    };
    for (const call of test.rig.kms.calls) {
      for (const [name, value] of Object.entries(call.context)) {
        expect(Object.keys(allowed)).to.include(name);
        expect(value).to.match(allowed[name as keyof typeof allowed]);
      }
      expect(call.keyId).to.equal(test.rig.kms.keyId);
    }
    expect(test.rig.kms.calls.length).to.be.above(0);
  });
});

/** Unwraps that the key service has refused, by the sidecar's own metrics. */
async function refusals(test: AbuseCase): Promise<number> {
  const { body } = await test.rig.sidecar.admin("/metrics");
  const lines = body.split("\n").filter((line) => line.startsWith("sealwright_kms_calls_total{"));
  const refused = lines.filter((line) => line.includes('outcome="kms_not_mine"'));
  return refused.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Whether a recorded Decrypt was for the wrapped key of `token`. */
function asked(raw: Buffer, token: string): boolean {
  const { wrapped } = readEnvelope(token);
  return wrapped !== undefined && raw.includes(wrapped.toString("base64"));
}
