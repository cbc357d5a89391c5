import { expect } from "chai";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { constants, deflateRawSync } from "node:zlib";

import { expectOutage, expectRecovery, refusedWrite } from "../abuse/key-service-down.ts";
import { AbuseCase, statusOf } from "../rig/abuse-case.ts";
import { checkAfter, expectGoodRequest } from "../rig/checks.ts";
import { HttpReader } from "../rig/http-reader.ts";
import { internalFailure } from "../rig/kms-stand-in.ts";
import { identityHeaders, Rig, t1, type RigOptions } from "../rig/rig.ts";

const wait = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

async function withRig(options: Omit<RigOptions, "form">, work: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = await Rig.start({ form: "inline", ...options });
  try {
    for (let round = 0; round < 200; round++) await expectGoodRequest(rig);
    await rig.stalls.longest();
    await work(rig);
  } finally {
    await rig.stop();
  }
}

describe("abuse cases that take memory or time", function () {
  this.timeout(120_000);

  it("I-01 a gzip bomb of ten gigabytes is refused at the limit of the decoded body", () =>
    withRig({ listener: ["limits: { bodyBytes: 64MiB }"] }, async (rig) => {
      const test = new AbuseCase(rig);
      await test.refuses({ body: gzipBomb(10 * 1024), headers: [["content-encoding", "gzip"]] }, "body_too_large");
      await checkAfter(rig, test.mark, { stallMs: 200 });
    }));

  it("I-03 five hundred slow clients are cut off and slow down nobody else", () =>
    withRig({ listener: ["timeouts: { header: 1s, body: 1s }"] }, async (rig) => {
      const test = new AbuseCase(rig);
      const path = test.newPath();
      const head = `PUT ${path} HTTP/1.1\r\nhost: a\r\nx-tenant-id: ${t1}\r\ncontent-type: application/json\r\n`;
      const slow = Array.from({ length: 500 }, (_, index) => {
        const socket = connect(rig.sidecar.port, "127.0.0.1");
        const closed = once(socket, "close");
        socket.on("error", () => undefined).resume();
        socket.write(index % 2 === 0 ? "PUT / HTTP/1.1\r\nhost: a\r\nx-slow: " : `${head}content-length: 900\r\n\r\n{`);
        return { socket, closed };
      });
      await wait(200);
      for (let round = 0; round < 10; round++) await expectGoodRequest(rig);
      const all = Promise.all(slow.map(({ closed }) => closed)).then(() => "closed");
      expect(await Promise.race([all, wait(10_000).then(() => "open")])).to.equal("closed");
      expect(test.mark.requests.every((request) => !request.start.includes(path))).to.be.true;
      await checkAfter(rig, test.mark, { stallMs: 200 });
    }));

  it("I-04 a slow reader of fifty megabytes holds the upstream back, not the memory", () =>
    withRig({}, async (rig) => {
      const test = new AbuseCase(rig);
      const path = test.newPath();
      const body = Buffer.from(`{"x":[${"1234567,".repeat(50 * 131_072)}1]}`);
      rig.upstream.plant(path, body);
      const socket = connect(rig.sidecar.port, "127.0.0.1");
      await once(socket, "connect");
      const headers = identityHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nx-tenant-id: ${t1}\r\n${headers}\r\n`);
      socket.pause();
      await wait(3_000);
      const unsent = Math.max(...rig.upstream.connections.map((connection) => connection.unsentBytes()));
      expect(unsent / body.length, "share of the answer that waits at the upstream").to.be.above(0.5);
      const answer = await readAnswer(socket);
      expect(answer.equals(body)).to.be.true;
      await checkAfter(rig, test.mark, { stallMs: 200 });
    }));

  it("B-15 a key service that hangs: 503 within the deadline, nothing forwarded, then recovery", () =>
    expectOutage("hangs", { kind: "hang" }));

  it("B-15 a keyring that could not be verified at start is verified once the key service is back", async () => {
    const rig = await Rig.start({
      form: "keyring",
      until: "/livez",
      beforeStart: ({ kms }) => void (kms.fault = () => internalFailure),
    });
    try {
      await wait(2_000);
      await refusedWrite(rig);
      await expectRecovery(rig);
    } finally {
      await rig.stop();
    }
  });

  it("E-08 a key service that takes two seconds does not touch warm traffic over a whole cache age", () =>
    withRig({ keys: ["cache: { age: 20s }"] }, async (rig) => {
      rig.kms.fault = () => ({ kind: "delay", ms: 1_800 });
      const calls = rig.kms.calls.length;
      let longest = 0;
      for (const end = performance.now() + 30_000; performance.now() < end;) {
        await wait(100);
        const written = await rig.send({ target: "/v1/patients/1", body: '{"ssn":"x"}' });
        expect(statusOf(written.answers[0])).to.equal(204);
        longest = Math.max(longest, written.durationMs);
      }
      expect(rig.kms.calls.length - calls, "checks").to.be.within(1, 6);
      expect(longest, "slowest request, ms").to.be.below(500);
    }));
});

/** Spaces: `mebibytes` of them, in a gzip stream of about a thousandth of that. */
function gzipBomb(mebibytes: number): Buffer {
  const head = Buffer.from("1f8b08000000000000ff", "hex");
  // A fully flushed block refers to nothing before it, so it can be repeated.
  const block = deflateRawSync(Buffer.alloc(1024 ** 2, " "), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([
    head,
    ...Array.from({ length: mebibytes }, () => block),
    deflateRawSync("{}"),
    Buffer.alloc(8),
  ]);
}

async function readAnswer(socket: Socket): Promise<Buffer> {
  const reader = new HttpReader({ kind: "answers", methods: ["GET"] });
  socket.on("data", (chunk: Buffer) => {
    reader.write(chunk);
    if (reader.messages.length > 0) socket.destroy();
  });
  socket.resume();
  await once(socket, "close");
  return reader.messages[0]?.body ?? Buffer.alloc(0);
}
