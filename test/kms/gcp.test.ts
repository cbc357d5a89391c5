import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";
import { silentLog, type LogFields } from "../../src/base/log.ts";
import { contextBytes, dataContext, rootContext } from "../../src/kms/context.ts";
import { openGcpKms } from "../../src/kms/gcp/gcp.ts";
import type { GcpTokens } from "../../src/kms/gcp/gcp-tokens.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { GcpKmsConfig } from "../../src/kms/kms-config.ts";
import { failureCode } from "../rig/failure-code.ts";
import { GcpFake, type GcpFault } from "../rig/gcp-fake.ts";
import { GcpFakeKey, bitwiseCrc32c, type RpcStatus } from "../rig/gcp-fake-key.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });
const other = dataContext({ tenant: "t2", dataset: "patients" });

describe("Cloud KMS, against a fake of its REST interface (not certified against the service)", () => {
  const folder = useScratchFolder();
  const opened: Kms[] = [];
  let pki: TestPki;
  let identity: TestIdentity;
  let service: GcpFake;
  let kms: Kms;
  let issued: string[];

  before(async () => {
    pki = await createTestPki();
    identity = await pki.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server" });
  });
  beforeEach(async () => {
    service = await GcpFake.start(identity);
    issued = [];
    kms = await open();
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await service.stop();
  });

  /** Tokens straight from the fake, without the library that would fetch them. */
  const tokens: GcpTokens = {
    current: async () => issued.at(-1) ?? (await tokens.after("")),
    after: async () => {
      const answer = await fetch(`http://${service.metadata.host}/service-accounts/default/token`, {
        headers: { "metadata-flavor": "Google" },
      });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      issued.push(token);
      return token;
    },
    close: () => Promise.resolve(),
  };

  const levels: (string | undefined)[] = [];
  const note = (event: string, fields?: LogFields): void => {
    if (event === "kms_protection_level") levels.push(fields?.reason);
  };

  async function open(more: Partial<GcpKmsConfig> = {}, from: GcpTokens = tokens): Promise<Kms> {
    const ca = join(folder(), "ca.pem");
    writeFileSync(ca, pki.ca);
    const config = { provider: "gcp", keyName: service.key.name, endpoint: service.endpoint, ca, ...more } as const;
    const one = await openGcpKms(config, { kek: "main", log: { ...silentLog, info: note }, tokens: from });
    opened.push(one);
    return one;
  }

  const faulty = async (fault: GcpFault, call: () => Promise<unknown>): Promise<string> => {
    service.fault = () => fault;
    try {
      return await failureCode(call);
    } finally {
      service.fault = () => undefined;
    }
  };

  it("generates, wraps, unwraps and rewraps under the key and the context of the scope", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    expect(plaintext.length).to.equal(32);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    const again = await kms.wrap(plaintext, context);
    expect(again.equals(wrapped)).to.equal(false);
    const anew = await kms.rewrap(again, context);
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
    expect(service.calls.map(({ verb }) => verb)).to.deep.equal([
      "encrypt",
      "decrypt",
      "encrypt",
      "decrypt",
      "encrypt",
      "decrypt",
    ]);
    expect((await kms.generate(context)).plaintext.equals(plaintext)).to.equal(false);
  });

  it("sends the context as additional authenticated data, and checksums of all that it sends", async () => {
    const { wrapped } = await kms.generate(context);
    await kms.unwrap(wrapped, context);
    for (const { name, message } of service.calls) {
      expect(name).to.equal(service.key.name);
      expect(message["additionalAuthenticatedData"]).to.equal(contextBytes(context).toString("base64"));
      for (const member of ["plaintext", "ciphertext", "additionalAuthenticatedData"]) {
        const value = message[member];
        if (typeof value !== "string") continue;
        expect(message[`${member}Crc32c`]).to.equal(String(bitwiseCrc32c(Buffer.from(value, "base64"))));
      }
    }
  });

  it("rewraps under the primary version and opens what older versions wrapped", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    service.key.rotate();
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    const anew = await kms.rewrap(wrapped, context);
    expect([wrapped.readUInt32BE(0), anew.readUInt32BE(0)]).to.deep.equal([1, 2]);
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
  });

  it("calls another context, another key's bytes and tampered ones not its own", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    const foreign = new GcpFakeKey(service.key.name).answer("encrypt", { plaintext: plaintext.toString("base64") });
    const tampered = Buffer.from(wrapped);
    tampered[20] = (tampered[20] ?? 0) ^ 1;
    const strangers = [
      tampered,
      wrapped.subarray(0, -1),
      Buffer.alloc(1),
      Buffer.from(String(foreign.body["ciphertext"]), "base64"),
    ];
    for (const bytes of strangers) expect(await failureCode(() => kms.unwrap(bytes, context))).to.equal("kms_not_mine");
    for (const wrong of [other, rootContext]) {
      expect(await failureCode(() => kms.unwrap(wrapped, wrong))).to.equal("kms_not_mine");
      expect(await failureCode(() => kms.rewrap(wrapped, wrong))).to.equal("kms_not_mine");
    }
  });

  it("takes no key of another length, in either direction", async () => {
    const short = service.key.answer("encrypt", {
      plaintext: Buffer.alloc(16).toString("base64"),
      additionalAuthenticatedData: contextBytes(context).toString("base64"),
    });
    const wrapped = Buffer.from(String(short.body["ciphertext"]), "base64");
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_broken");
    expect(await failureCode(() => kms.wrap(Buffer.alloc(31), context))).to.equal("internal");
  });

  const edits: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "another key's name": {
      name: "projects/hospital/locations/global/keyRings/r/cryptoKeys/other/cryptoKeyVersions/1",
    },
    "no version in its name": {
      name: "projects/hospital/locations/europe-west3/keyRings/sealwright/cryptoKeys/patients",
    },
    "no name": { name: undefined },
    "a wrong checksum": { ciphertextCrc32c: "1" },
    "no checksum": { ciphertextCrc32c: undefined },
    "a checksum in other words": { ciphertextCrc32c: "0x10" },
    "not verified what was sent": { verifiedPlaintextCrc32c: undefined },
    "denied what was sent": { verifiedPlaintextCrc32c: false },
    "not verified the context": { verifiedAdditionalAuthenticatedDataCrc32c: undefined },
    "no ciphertext": { ciphertext: undefined },
    "an empty ciphertext": { ciphertext: "", ciphertextCrc32c: "0" },
    "lax base64": { ciphertext: "AA", ciphertextCrc32c: String(bitwiseCrc32c(Buffer.alloc(1))) },
  };
  for (const [what, edit] of Object.entries(edits)) {
    it(`E-01: takes no answer to encrypt that has ${what}`, async () => {
      const fault: GcpFault = { kind: "answer", edit: (answer) => ({ ...answer, ...edit }) };
      expect(await faulty(fault, () => kms.generate(context))).to.equal("kms_broken");
      expect(await faulty(fault, () => kms.wrap(Buffer.alloc(32), context))).to.equal("kms_broken");
    });
  }

  const plainEdits: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "a wrong checksum": { plaintextCrc32c: "1" },
    "no checksum": { plaintextCrc32c: undefined },
    "another key": { plaintext: Buffer.alloc(32, 7).toString("base64") },
    "no key": { plaintext: undefined },
    "a key in hex": { plaintext: "00".repeat(32) },
  };
  for (const [what, edit] of Object.entries(plainEdits)) {
    it(`E-01: takes no answer to decrypt that has ${what}`, async () => {
      const { wrapped } = await kms.generate(context);
      const fault: GcpFault = { kind: "answer", edit: (answer) => ({ ...answer, ...edit }) };
      expect(await faulty(fault, () => kms.unwrap(wrapped, context))).to.equal("kms_broken");
    });
  }

  const refusals: readonly (readonly [RpcStatus, string, string])[] = [
    ["NOT_FOUND", "kms_denied", "kms_denied"],
    ["PERMISSION_DENIED", "kms_denied", "kms_denied"],
    ["UNAUTHENTICATED", "kms_denied", "kms_denied"],
    ["FAILED_PRECONDITION", "kms_denied", "kms_denied"],
    ["INVALID_ARGUMENT", "kms_denied", "kms_not_mine"],
    ["RESOURCE_EXHAUSTED", "kms_unavailable", "kms_unavailable"],
    ["UNAVAILABLE", "kms_unavailable", "kms_unavailable"],
    ["DEADLINE_EXCEEDED", "kms_unavailable", "kms_unavailable"],
    ["INTERNAL", "kms_unavailable", "kms_unavailable"],
    ["UNKNOWN", "kms_unavailable", "kms_unavailable"],
    ["ABORTED", "kms_unavailable", "kms_unavailable"],
    ["CANCELLED", "kms_unavailable", "kms_unavailable"],
  ];
  for (const [status, wrapping, unwrapping] of refusals) {
    it(`takes ${status} for ${wrapping} when it wraps and ${unwrapping} when it unwraps`, async () => {
      const { wrapped } = await kms.generate(context);
      const fault: GcpFault = { kind: "error", status };
      expect(await faulty(fault, () => kms.generate(context))).to.equal(wrapping);
      expect(await faulty(fault, () => kms.unwrap(wrapped, context))).to.equal(unwrapping);
    });
  }

  const pages: Readonly<Record<number, string>> = {
    302: "kms_broken",
    400: "kms_broken",
    401: "kms_denied",
    403: "kms_denied",
    404: "kms_broken",
    429: "kms_unavailable",
    502: "kms_unavailable",
    200: "kms_broken",
  };
  for (const [status, code] of Object.entries(pages)) {
    it(`takes a page of status ${status} for ${code}, and repeats none of it`, async () => {
      const text = "<html>CANARY</html>";
      expect(await faulty({ kind: "page", status: Number(status), text }, () => kms.generate(context))).to.equal(code);
    });
  }

  it("says that a disabled key is denied", async () => {
    const { wrapped } = await kms.generate(context);
    service.key.state = "disabled";
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_denied");
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
  });

  it("says that a key it may not use is denied", async () => {
    const wrong = await open({ keyName: service.key.name.replace("patients", "others") });
    expect(await failureCode(() => wrong.generate(context))).to.equal("kms_denied");
  });

  it("is out of reach while connections break, answers do not come or nobody listens", async () => {
    const hasty = await open({ patience: { attemptMs: 200 } });
    for (const kind of ["reset", "cut", "hang"] as const)
      expect(await faulty({ kind }, () => hasty.generate(context))).to.equal("kms_unavailable");
    expect(await faulty({ kind: "delay", ms: 2500 }, () => hasty.generate(context))).to.equal("kms_unavailable");
    const nobody = await open({ endpoint: "https://127.0.0.1:1" });
    expect(await failureCode(() => nobody.generate(context))).to.equal("kms_unavailable");
    expect((await hasty.generate(context)).wrapped.length).to.be.greaterThan(32);
  });

  it("takes no endless answer", async () => {
    const fault: GcpFault = { kind: "page", status: 200, text: "x".repeat(1024 * 1024) };
    expect(await faulty(fault, () => kms.generate(context))).to.equal("kms_broken");
  });

  it("talks to nobody whose certificate does not hold", async () => {
    const strange = await createTestPki("another");
    const identities: readonly TestIdentity[] = [
      await strange.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server" }),
      await pki.issue({ name: "kms", ip: ["127.0.0.2"], usage: "server" }),
      await pki.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server", notAfter: new Date(Date.now() - 60_000) }),
    ];
    for (const shown of identities) {
      const impostor = await GcpFake.start(shown);
      const fooled = await open({ endpoint: impostor.endpoint });
      expect(await failureCode(() => fooled.generate(context))).to.equal("kms_unavailable");
      expect(impostor.calls).to.deep.equal([]);
      await impostor.stop();
    }
  });

  it("goes on with a fresh token where the one it has is not taken any more, and is denied where that is refused too", async () => {
    const { wrapped } = await kms.generate(context);
    service.metadata.revoke();
    await kms.unwrap(wrapped, context);
    expect(issued).to.have.length(2);
    expect(service.calls.map(({ token }) => token)).to.deep.equal([issued[0], issued[0], issued[1]]);
    const stubborn = await open(
      {},
      { ...tokens, after: () => Promise.resolve("stale"), current: () => Promise.resolve("stale") },
    );
    expect(await failureCode(() => stubborn.unwrap(wrapped, context))).to.equal("kms_denied");
  });

  it("refuses answers of another protection than the configuration demands", async () => {
    const demanding = await open({ protectionLevel: "HSM" });
    expect(await failureCode(() => demanding.generate(context))).to.equal("kms_broken");
    const { wrapped } = await kms.generate(context);
    expect(await failureCode(() => demanding.unwrap(wrapped, context))).to.equal("kms_broken");
    service.key.protectionLevel = "HSM";
    expect((await demanding.unwrap(wrapped, context)).length).to.equal(32);
  });

  it("says in the log what protects the key, whenever that is news", async () => {
    levels.length = 0;
    const { wrapped } = await kms.generate(context);
    await kms.unwrap(wrapped, context);
    expect(levels).to.deep.equal(["SOFTWARE"]);
    service.key.protectionLevel = "HSM";
    await kms.unwrap(wrapped, context);
    expect(levels).to.deep.equal(["SOFTWARE", "HSM"]);
  });

  it("is not opened with a name, an endpoint or authorities that cannot be meant", async () => {
    expect(await failureCode(() => open({ keyName: `${service.key.name}/cryptoKeyVersions/1` }))).to.equal(
      "config_invalid",
    );
    expect(await failureCode(() => open({ endpoint: "http://kms.internal" }))).to.equal("config_invalid");
    expect(await failureCode(() => open({ ca: join(folder(), "none.pem") }))).to.equal("file_unreadable");
  });

  it("does nothing more once closed", async () => {
    await kms.close();
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_unavailable");
  });
});
