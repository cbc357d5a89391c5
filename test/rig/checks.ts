import { expect } from "chai";

import { canaryRoot, filesBelow, newCanary, search, type Haystack } from "./canary.ts";
import type { KmsCall } from "./kms-stand-in.ts";
import type { HttpMessage } from "./http-reader.ts";
import { expectSealed, json, mapped } from "./document.ts";
import { secretDigits, type Rig } from "./rig.ts";

/** What one case may do that others may not. */
export interface Allowance {
  /** Most calls to the key service; default 0: tenants t1 and t2 are warm. */
  readonly kmsCalls?: number;
  /** Longest stall of the event loop in milliseconds; default 100. */
  readonly stallMs?: number;
  /** Growth of resident memory, at its peak, above what it was when the case began, in bytes; default 64 MiB. */
  readonly growthBytes?: number;
}

/** Where the records stood when a case began. */
export class Mark {
  readonly #rig: Rig;
  readonly #chunks: readonly number[];
  readonly #messages: readonly number[];
  readonly #calls: number;
  readonly #output: number;
  /** Resident memory of the sidecar. */
  readonly residentBytes: number;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#chunks = rig.upstream.connections.map((connection) => connection.chunks.length);
    this.#messages = rig.upstream.connections.map((connection) => connection.reader.messages.length);
    this.#calls = rig.kms.calls.length;
    this.#output = rig.sidecar.output.length;
    this.residentBytes = rig.sidecar.residentBytes;
    rig.sidecar.forgetPeak();
  }

  /** Complete requests that the upstream has seen since. */
  get requests(): readonly HttpMessage[] {
    return this.#rig.upstream.connections.flatMap((connection, index) =>
      connection.reader.messages.slice(this.#messages[index] ?? 0),
    );
  }

  get calls(): readonly KmsCall[] {
    return this.#rig.kms.calls.slice(this.#calls);
  }

  get output(): Buffer {
    return this.#rig.sidecar.output.subarray(this.#output);
  }

  /** True when upstream connections that carry bytes since then have all ended at a message's end, or were cut. */
  get settled(): boolean {
    return this.#rig.upstream.connections.every(
      (connection) => !connection.reader.midMessage || connection.closed !== undefined,
    );
  }

  get upstreamBytes(): Haystack[] {
    return this.#rig.upstream.connections.map((connection, index) => ({
      where: "upstream",
      bytes: Buffer.concat(connection.chunks.slice(this.#chunks[index] ?? 0)),
    }));
  }
}

/** The checks that run after every case: I1 to I4, I6 and I7. I5 and I8 are in the assertions that cases make. */
export async function checkAfter(rig: Rig, mark: Mark, allowance: Allowance): Promise<void> {
  const stallMs = await rig.stalls.longest();
  const growth = rig.sidecar.peakBytes - mark.residentBytes;
  const calls = mark.calls.length;
  await expectUpstreamSound(rig, mark);
  await expectAlive(rig);
  await expectNoLeak(rig, mark);
  expect(calls, "I7 calls to the key service").to.be.at.most(allowance.kmsCalls ?? 0);
  expect(stallMs, "I6 longest stall of the event loop, ms").to.be.below(allowance.stallMs ?? 100);
  expect(growth / 1024 ** 2, "I6 growth of resident memory, MiB").to.be.below(
    (allowance.growthBytes ?? 64 * 1024 ** 2) / 1024 ** 2,
  );
}

/** I4: whole requests, or connections that were cut before a message's end. */
async function expectUpstreamSound(rig: Rig, mark: Mark): Promise<void> {
  for (const deadline = Date.now() + 1_000; !mark.settled && Date.now() < deadline;) {
    await new Promise((settle) => setTimeout(settle, 10));
  }
  expect(mark.settled, "I4 an unfinished request still hangs at the upstream").to.be.true;
  for (const connection of rig.upstream.connections) {
    expect(connection.reader.malformed, "I4 bytes at the upstream that are no HTTP").to.equal(undefined);
    expect(connection.protocol, "TLS to the upstream").to.equal("TLSv1.3");
  }
}

/** I3: the same process answers the next good request within a second, and nothing went uncaught. */
async function expectAlive(rig: Rig): Promise<void> {
  expect(rig.sidecar.exitCode, "I3 exit code").to.equal(undefined);
  const output = rig.sidecar.output.toString();
  expect(output, "I3").to.not.match(/process_failed|unhandledRejection|uncaughtException|UnhandledPromise/u);
  await expectGoodRequest(rig);
}

/** Writes a document and reads it back, within a second. */
export async function expectGoodRequest(rig: Rig): Promise<void> {
  const document = json`{"id":"good","ssn":${mapped(`"${newCanary()}"`)}}`;
  const started = performance.now();
  const written = await rig.send({ target: "/v1/patients/good", body: document.bytes });
  expect(written.answers[0]?.start, "I3 next good write").to.match(/^HTTP\/1\.1 204 /u);
  expectSealed(rig.upstream.bodyOf("/v1/patients/good"), document);
  const read = await rig.send({ target: "/v1/patients/good" });
  expect(read.answers[0]?.body.toString(), "I3 next good read").to.equal(document.bytes.toString());
  expect(performance.now() - started, "I3 time of the next good requests, ms").to.be.below(1_000);
}

async function expectNoLeak(rig: Rig, mark: Mark): Promise<void> {
  const upstream = [
    ...mark.upstreamBytes,
    ...mark.requests.map((request) => ({ where: "upstream body", bytes: request.body })),
  ];
  const kms = mark.calls.map((call) => ({ where: "key service", bytes: call.raw }));
  const metrics = { where: "metrics", bytes: Buffer.from((await rig.sidecar.admin("/metrics")).body) };
  const log = { where: "log", bytes: mark.output };
  const disk = filesBelow(rig.folder.path);

  expect(search([...upstream, ...kms, ...disk], [canaryRoot]), "I1 canary").to.deep.equal([]);
  const [, keyLine = ""] = rig.folder.privateKey.split("\n");
  expect(search([log, metrics], [secretDigits, keyLine]), "I2 canary, token, tenant or private key").to.deep.equal([]);
  expect(search([log, metrics, ...upstream], rig.kms.dataKeys), "I2 data key").to.deep.equal([]);
}
