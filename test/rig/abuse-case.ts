import { randomBytes } from "node:crypto";

import { expect } from "chai";

import { errorTable, type ErrorCode } from "../../src/base/error-table.ts";
import { newCanary } from "./canary.ts";
import { checkAfter, expectGoodRequest, Mark, type Allowance } from "./checks.ts";
import { expectSealed, type Document } from "./document.ts";
import { headerOf, type HttpMessage } from "./http-reader.ts";
import type { RawExchange } from "./raw-client.ts";
import { Rig, t2, type Send } from "./rig.ts";
import { forms, type Form } from "./sidecar-files.ts";

const running = new Map<Form, Promise<Rig>>();

/** The rig of one form, shared by every case of the run. */
export function sharedRig(form: Form): Promise<Rig> {
  const known = running.get(form) ?? warmRig(form);
  running.set(form, known);
  return known;
}

async function warmRig(form: Form): Promise<Rig> {
  // Streams begin earlier than by default, so that many streamed bodies need few bytes.
  const rig = await Rig.start({ form, listener: ["limits: { wholeBytes: 64KiB }"] });
  for (let round = 0; round < 60; round++) await expectGoodRequest(rig);
  for (const target of ["/v1/patients/warm", "/v1/people/warm", "/v1/moving/warm"]) {
    for (const tenant of [undefined, t2]) {
      const body = '{"ssn":"warm","email":"warm"}';
      await rig.send({ target, body, ...(tenant === undefined ? {} : { tenant }) });
    }
  }
  // V8 lets its young generation grow to its full size with the first large body and keeps it.
  const contacts = Array.from({ length: 20_000 }, () => '{"phone":"warm"}').join(",");
  for (let round = 0; round < 3; round++) {
    await rig.send({ target: "/v1/patients/warm", body: `{"contacts":[${contacts}]}` });
    await rig.send({ target: "/v1/patients/warm" });
  }
  return rig;
}

after(async () => {
  for (const rig of running.values()) await (await rig).stop();
});

/** What a case works with. */
export class AbuseCase {
  readonly rig: Rig;
  readonly canary = newCanary();
  readonly mark: Mark;

  constructor(rig: Rig) {
    this.rig = rig;
    this.mark = new Mark(rig);
  }

  /** A path that no other case has used. */
  newPath(base = "/v1/patients"): string {
    return `${base}/${randomBytes(6).toString("hex")}`;
  }

  /**
   * "enc": the document is written, the upstream holds it sealed and otherwise unchanged (I8), and it reads back equal.
   * Gives the sealed values in order.
   */
  async seals(document: Document, send: Partial<Send> = {}): Promise<string[]> {
    const target = send.target ?? this.newPath();
    const tokens = await this.writes(document, { ...send, target });
    await this.reads(target, document.bytes, send);
    return tokens;
  }

  /** The same without the read, for routes that only write. */
  async writes(document: Document, send: Partial<Send> & { readonly target: string }): Promise<string[]> {
    const before = this.mark.requests.length;
    const written = await this.rig.send({ ...send, body: send.body ?? document.bytes });
    const status = statusOf(written.answers[0]);
    expect(status, `status of the write (${codeOf(written.answers[0])})`).to.be.oneOf([201, 204]);
    expect(this.mark.requests.length - before, "requests at the upstream").to.equal(1);
    return expectSealed(this.rig.upstream.bodyOf(send.target), document);
  }

  /** Reads `path` and expects exactly `bytes`. */
  async reads(path: string, bytes: Buffer, send: Partial<Send> = {}): Promise<HttpMessage> {
    const { tenant } = send;
    const read = await this.rig.send({ target: path, ...("tenant" in send ? { tenant } : {}) });
    const answer = read.answers[0];
    expect(statusOf(answer), `status of the read (${codeOf(answer)})`).to.equal(200);
    if (!answer!.body.equals(bytes)) expect(answer!.body.toString("latin1")).to.equal(bytes.toString("latin1"));
    return answer!;
  }

  /** "refuse": the code's status and its fixed body (I5), nothing complete at the upstream (I4), no key service (I7). */
  async refuses(
    send: Partial<Send>,
    codes: ErrorCode | readonly ErrorCode[],
    options: Partial<RawExchange> = {},
  ): Promise<HttpMessage> {
    const before = this.mark.requests.length;
    const calls = this.mark.calls.length;
    const outcome = await this.rig.send({ target: this.newPath(), ...send }, options);
    const answer = outcome.answers[0];
    this.expectRefusal(answer, codes);
    expect(this.mark.requests.length - before, "I4 complete requests at the upstream").to.equal(0);
    expect(this.mark.calls.length - calls, "I7 calls to the key service").to.equal(0);
    return answer!;
  }

  /** An answer with the code's status and, to the byte, its body. */
  expectRefusal(answer: HttpMessage | undefined, codes: ErrorCode | readonly ErrorCode[]): void {
    const code = codeOf(answer) as ErrorCode;
    expect(code, "code").to.be.oneOf([codes].flat());
    expect(headerOf(answer!, "content-type")).to.equal("application/problem+json");
    // What the store sent is never the client's fault.
    const { status } = errorTable[code];
    expect(statusOf(answer), `status of ${code}`).to.be.oneOf([status, 502]);
    const body = answer!.body.toString();
    const key = `${code} ${statusOf(answer)}`;
    expect(body, `I5 body of ${code}`).to.equal(this.rig.refusals.get(key) ?? body);
    this.rig.refusals.set(key, body);
  }

  /** A read that fails closed with `open_failed`. */
  async failsToOpen(path: string, send: Partial<Send> = {}): Promise<void> {
    const read = await this.rig.send({ ...send, target: path });
    this.expectRefusal(read.answers[0], "open_failed");
  }
}

export const statusOf = (answer: HttpMessage | undefined): number => Number(answer?.start.split(" ")[1] ?? 0);

/** The stable code of a refusal, or what there is in its place. */
export function codeOf(answer: HttpMessage | undefined): string {
  if (answer === undefined) return "no answer";
  try {
    const problem: unknown = JSON.parse(answer.body.toString());
    if (typeof problem === "object" && problem !== null && "code" in problem) return String(problem.code);
  } catch {
    // Not a problem document.
  }
  return `${answer.start} without a code`;
}

/** Declares one abuse case, run against the running program in both key forms, with the checks I1 to I8 after it. */
export function abuse(
  title: string,
  body: (test: AbuseCase, context: Mocha.Context) => Promise<void>,
  allowance: Allowance & { readonly forms?: readonly Form[] } = {},
): void {
  for (const form of allowance.forms ?? forms) {
    it(`${title} [${form}]`, async function () {
      this.timeout(30_000);
      const rig = await sharedRig(form);
      rig.upstream.forget();
      await rig.stalls.longest();
      const test = new AbuseCase(rig);
      try {
        await body(test, this);
      } finally {
        rig.kms.fault = () => undefined;
      }
      await checkAfter(rig, test.mark, allowance);
    });
  }
}
