import { expect } from "chai";
import { createDecipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { referenceKeyId, referenceSeal } from "../crypto/reference.ts";
import { abuse, statusOf, type AbuseCase } from "../rig/abuse-case.ts";
import { documentOf, expectSealed, json, mapped } from "../rig/document.ts";
import { nonceOf, readEnvelope, tokenOf } from "../rig/envelope.ts";
import { secretDigits, t1, t2, Rig } from "../rig/rig.ts";
import { vectorFileOrSkip } from "../rig/vectors.ts";

interface Stored {
  readonly path: string;
  /** Sealed ssn and notes. */
  readonly ssn: string;
  readonly notes: string;
}

async function store(test: AbuseCase, tenant = t1): Promise<Stored> {
  const path = test.newPath();
  const document = json`{"ssn":${mapped(`"${test.canary}"`)},"notes":${mapped(`"${test.canary}"`)}}`;
  const [ssn = "", notes = ""] = await test.seals(document, { target: path, tenant });
  return { path, ssn, notes };
}

/** Puts `token` where `stored` has its ssn and expects the read to fail closed. */
async function fails(test: AbuseCase, stored: Stored, token: string, tenant = t1): Promise<void> {
  test.rig.upstream.plant(stored.path, `{"ssn":"${token}"}`);
  await test.failsToOpen(stored.path, { tenant });
}

describe("C: what an editor of the store can do to sealed values", () => {
  abuse("C-01 a value moved to another record of the tenant does not open", async (test) => {
    const [one, other] = [await store(test), await store(test)];
    await fails(test, one, other.ssn);
    await fails(test, other, one.ssn);
  });

  abuse("C-02 a value moved to another field of its record does not open", async (test) => {
    const stored = await store(test);
    await fails(test, stored, stored.notes);
    test.rig.upstream.plant(stored.path, `{"notes":"${stored.ssn}"}`);
    await test.failsToOpen(stored.path);
  });

  abuse(
    "C-03 a value copied to another tenant does not open, and the key service refuses too",
    async (test) => {
      const stored = await store(test);
      await fails(test, stored, stored.ssn, t2);
      // Inline the value brings its own wrapped key, which the key service knows under t1's context only.
      expect(test.mark.calls.every((call) => call.context["tenant"] !== t1)).to.be.true;
    },
    { kmsCalls: 1 },
  );

  abuse("C-04 an older value of the same field opens, and the documents say so", async (test) => {
    const path = test.newPath();
    const older = json`{"ssn":${mapped(`"${test.canary}-older"`)}}`;
    const [token = ""] = await test.seals(older, { target: path });
    await test.seals(json`{"ssn":${mapped(`"${test.canary}-newer"`)}}`, { target: path });
    test.rig.upstream.plant(path, `{"ssn":"${token}"}`);
    await test.reads(path, older.bytes);
    const security = readFileSync(resolve(import.meta.dirname, "../../SECURITY.md"), "utf8");
    expect(security).to.match(/replay is not detected/iu);
  });

  abuse(
    "C-05 no single bit of an envelope can be flipped",
    async (test) => {
      const tenant = `c05-${secretDigits}`;
      const stored = await store(test, tenant);
      const { bytes } = readEnvelope(stored.ssn);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        await fails(test, stored, tokenOf(flipped), tenant).catch((cause: unknown) => {
          throw new Error(`bit ${bit}: ${cause instanceof Error ? cause.message : ""}`, { cause });
        });
      }
    },
    // One new key, and what the tenant may fail to unwrap while this runs.
    { kmsCalls: 2 + 20 + 20 * 15 },
  );

  abuse("C-06 a tag cut short does not open", async (test) => {
    const stored = await store(test);
    const { bytes } = readEnvelope(stored.ssn);
    for (const kept of [0, 4, 8, 12, 15])
      await fails(test, stored, tokenOf(bytes.subarray(0, bytes.length - 16 + kept)));
    await fails(test, stored, tokenOf(Buffer.concat([bytes, Buffer.alloc(1)])));
  });

  abuse("C-07 a nonce of another length does not open", async (test) => {
    const stored = await store(test);
    const { bytes, bodyAt } = readEnvelope(stored.ssn);
    const body = bytes.subarray(bodyAt + 24);
    for (const length of [0, 1, 12, 16, 23, 25, 256]) {
      const nonce = Buffer.concat([bytes.subarray(bodyAt, bodyAt + 24), Buffer.alloc(256)]).subarray(0, length);
      await fails(test, stored, tokenOf(Buffer.concat([bytes.subarray(0, bodyAt), nonce, body])));
    }
  });

  abuse("C-08 another version or suite does not open", async (test) => {
    const stored = await store(test);
    const { bytes } = readEnvelope(stored.ssn);
    for (const version of ["swr0.", "swr2.", "swr11.", "SWR1.", "swr1", "swr.", "enc:v1:"]) {
      await fails(test, stored, stored.ssn.replace("swr1.", version));
    }
    for (const suite of [0, 2, 3, 255])
      await fails(test, stored, tokenOf(Buffer.concat([Buffer.from([suite]), bytes.subarray(1)])));
    for (const form of [0x00, 0x01, 0x02, 0x31, 0x30, 0x50, 0x90]) {
      if (form === bytes[1]) continue;
      await fails(test, stored, tokenOf(Buffer.concat([bytes.subarray(0, 1), Buffer.from([form]), bytes.subarray(2)])));
    }
    // Suite 2 cannot be bound to a record: as unbound it must not open either.
    await fails(test, stored, tokenOf(Buffer.concat([Buffer.from([2, (bytes[1] ?? 0) & 0x0f]), bytes.subarray(2)])));
  });

  abuse("C-09 base64 in any other spelling does not open", async (test) => {
    const stored = await store(test);
    const code = stored.ssn.slice("swr1.".length);
    const spellings = [`${code}=`, `${code}==`, `!!${code}`, `${code}!`, `${code} `, ` ${code}`, `${code}\\n`];
    spellings.push(`${code.slice(0, 8)}\\n${code.slice(8)}`, `${code.slice(0, 8)}\\r\\n${code.slice(8)}`, `${code}A`);
    spellings.push(code.replaceAll("-", "+").replaceAll("_", "/"));
    const { bytes } = readEnvelope(stored.ssn);
    const spare = (3 - (bytes.length % 3)) % 3;
    if (spare > 0) spellings.push(withTrailingBit(code));
    for (const spelling of spellings) {
      if (spelling !== code) await fails(test, stored, `swr1.${spelling}`);
    }
  });

  for (const index of [0, 1, 2, 3]) {
    abuse(
      `C-10 two-key ciphertext ${index}: a value opens under one key at most`,
      async (test, mocha) => {
        const { cases } = JSON.parse(readFileSync(vectorFileOrSkip(mocha, "own-vectors/gcm-two-key.json"), "utf8")) as {
          readonly cases: readonly TwoKeyCase[];
        };
        const { k1, k2, ...gcm } = cases[index]!;
        // Bare GCM does open it under both, which is what the key id is there to stop.
        expect(() => [k1, k2].map((key) => openGcm(key, gcm))).to.not.throw();

        const tenant = `c10-${index}-${secretDigits}`;
        const context = { sealwright: "v1", tenant, dataset: "patients" };
        const sealedUnderFirst = (): string =>
          referenceSeal({
            ...{ tenant, dataset: "patients", field: "ssn", record: "", dek: k1, suite: 1, form: 1, kek: "main" },
            plaintext: Buffer.from(`"${test.canary}"`).toString("hex"),
            nonce: "00".repeat(24),
            wrapped: test.rig.kms.wrap(Buffer.from(k1, "hex"), context).toString("hex"),
          });
        const path = test.newPath();

        test.rig.upstream.plant(path, `{"ssn":"${sealedUnderFirst()}"}`);
        const other = Buffer.from(k2, "hex").toString("base64");
        test.rig.kms.fault = () => ({ kind: "answer", edit: (answer) => ({ ...answer, Plaintext: other }) });
        await test.failsToOpen(path, { tenant });

        const token = sealedUnderFirst();
        test.rig.upstream.plant(path, `{"ssn":"${token}"}`);
        test.rig.kms.fault = () => undefined;
        await test.reads(path, Buffer.from(`{"ssn":"${test.canary}"}`), { tenant });

        // The same body under the other key's name needs that key, and then its own AAD is another one.
        const renamed = Buffer.from(readEnvelope(token).bytes);
        renamed.write(referenceKeyId(k2), 2, "hex");
        test.rig.upstream.plant(path, `{"ssn":"${tokenOf(renamed)}"}`);
        await test.failsToOpen(path, { tenant });
      },
      { forms: ["inline"], kmsCalls: 4 },
    );
  }

  abuse(
    "C-11 ten thousand seals of one value have ten thousand nonces and envelopes",
    async (test) => {
      const value = mapped(`"${test.canary}"`);
      const item = (index: number) => [index === 0 ? "" : ",", '{"phone":', value, "}"];
      const parts = Array.from({ length: 10_000 }, (_, index) => item(index)).flat();
      const tokens = await test.seals(documentOf(['{"contacts":[', ...parts, "]}"]));
      expect(tokens).to.have.length(10_000);
      expect(new Set(tokens.map(nonceOf))).to.have.property("size", 10_000);
      expect(new Set(tokens)).to.have.property("size", 10_000);
    },
    { stallMs: 250 },
  );

  abuse("C-12 nonces are 192 bits long and a message key of its own comes of each", async (test) => {
    const { ssn } = await store(test);
    const { bytes, bodyAt } = readEnvelope(ssn);
    const ciphertext = Buffer.byteLength(`"${test.canary}"`);
    expect(bytes.length - bodyAt - ciphertext - 16, "bytes of nonce").to.equal(24);
    const design = readFileSync(resolve(import.meta.dirname, "../../DESIGN.md"), "utf8");
    expect(design).to.match(/XAES-256-GCM/u);
  });

  it("C-13 a data key gives way at each of its limits and still opens", async function () {
    this.timeout(30_000);
    const limits = { values: "{ values: 10 }", bytes: "{ bytes: 4KiB }", age: "{ age: 1s }" };
    const rigs = await Promise.all(
      Object.values(limits).map((sealing) => Rig.start({ form: "inline", keys: [`sealing: ${sealing}`] })),
    );
    try {
      const [values, bytes, age] = rigs as [Rig, Rig, Rig];
      const [few, many] = [new Set<string>(), new Set<string>()];
      for (let i = 0; i < 40; i++) few.add(await sealOne(values, `v${i}`, "x"));
      expect(few.size, "keys for 40 values at 10 each").to.be.within(4, 6);
      for (let i = 0; i < 8; i++) many.add(await sealOne(bytes, `b${i}`, "x".repeat(2_000)));
      expect(many.size, "keys for 16 KB at 4 KiB each").to.be.within(3, 9);
      const first = await sealOne(age, "a0", "x");
      expect(await sealOne(age, "a1", "x")).to.equal(first);
      await new Promise((settle) => setTimeout(settle, 1_200));
      const later = [await sealOne(age, "a2", "x"), await sealOne(age, "a3", "x")];
      expect(later).to.not.deep.equal([first, first]);
      for (const [rig, id] of [
        [values, "v0"],
        [bytes, "b0"],
        [age, "a0"],
      ] as const) {
        const read = await rig.send({ target: `/v1/patients/${id}` });
        expect(statusOf(read.answers[0]), `old value ${id}`).to.equal(200);
      }
    } finally {
      await Promise.all(rigs.map((rig) => rig.stop()));
    }
  });

  for (const sizes of [[0, 1, 15, 16, 17, 16_383, 16_384, 16_385], [524_287, 524_288, 524_289], [5 * 1024 * 1024]]) {
    abuse(
      `C-15 values of ${sizes.join(", ")} bytes come back`,
      async (test) => {
        for (const size of sizes) {
          const text = test.canary.repeat(Math.ceil(size / test.canary.length)).slice(0, size);
          await test.seals(json`{"a":[],"ssn":${mapped(`"${text}"`)},"z":0.10}`);
        }
      },
      { growthBytes: (64 + 4 * (sizes[0]! >> 20) * 5) * 1024 ** 2, stallMs: 200 },
    );
  }
});

interface TwoKeyCase {
  readonly k1: string;
  readonly k2: string;
  readonly iv: string;
  readonly aad: string;
  readonly ct: string;
  readonly tag: string;
}

function openGcm(key: string, { iv, aad, ct, tag }: Omit<TwoKeyCase, "k1" | "k2">): Buffer {
  const [nonce, text] = [Buffer.from(iv, "hex"), Buffer.from(ct, "hex")];
  const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "hex"), nonce, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(aad, "hex")).setAuthTag(Buffer.from(tag, "hex"));
  return Buffer.concat([decipher.update(text), decipher.final()]);
}

/** The last character with its lowest unused bit set: other text of the same bytes. */
function withTrailingBit(code: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return code.slice(0, -1) + (alphabet[alphabet.indexOf(code.at(-1) ?? "") ^ 1] ?? "");
}

/** Writes one value and gives the id of the key that sealed it. */
async function sealOne(rig: Rig, id: string, text: string): Promise<string> {
  const document = json`{"ssn":${mapped(`"${text}"`)}}`;
  const written = await rig.send({ target: `/v1/patients/${id}`, body: document.bytes });
  expect(statusOf(written.answers[0])).to.equal(204);
  const [token = ""] = expectSealed(rig.upstream.bodyOf(`/v1/patients/${id}`), document);
  return readEnvelope(token).keyId;
}
