import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { gcmOpen } from "../../src/crypto/aes-256-gcm.ts";
import { DataKey } from "../../src/crypto/data-key.ts";
import { parseSealedValue } from "../../src/crypto/sealed-value.ts";
import type { Binding, KeyReference, SealedValue, Sealing } from "../../src/crypto/types.ts";
import { codeOf } from "./code-of.ts";
import { FixedNonces } from "./fixed-nonces.ts";
import { hex, referenceKeyId, referenceOpen, referenceSeal } from "./reference.ts";

const dek = "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f";
const newKey = (...nonces: Buffer[]): DataKey =>
  DataKey.fromBytes(hex(dek), nonces.length === 0 ? undefined : new FixedNonces(...nonces));
const binding: Binding = { tenant: "t1", dataset: "patients", field: "ssn", record: "4711" };
const unbound: Binding = { ...binding, record: undefined };
const ssn: Sealing = { suite: 1, plaintext: Buffer.from('"078-05-1120"'), rawBytes: false, binding };
const email: Sealing = { suite: 2, plaintext: Buffer.from('"a@b.c"'), rawBytes: false, binding: unbound };
const short = (key: DataKey): KeyReference => ({ form: "keyring", shortId: key.shortId });
const inline = (key: DataKey): KeyReference => ({ form: "inline", id: key.id, kek: "main", wrapped: Buffer.alloc(8) });
const json = (text: string): Buffer => Buffer.from(text, "utf8");

function sealed(key: DataKey, sealing: Sealing): SealedValue {
  const value = parseSealedValue(key.seal(sealing, short(key)));
  if (value === undefined) throw new Error("what was sealed does not parse");
  return value;
}

describe("DataKey", () => {
  describe("as a handle", () => {
    it("takes the bytes over: the caller's are zeroed, its own are a copy", () => {
      const bytes = hex(dek);
      const key = DataKey.fromBytes(bytes);
      expect(bytes.equals(Buffer.alloc(32))).to.equal(true);
      expect(key.id.toString("hex")).to.equal(referenceKeyId(dek));
      expect(key.shortId.equals(key.id.subarray(0, 16))).to.equal(true);
      expect(newKey().open(sealed(key, ssn), binding).toString()).to.equal('"078-05-1120"');
    });

    it("refuses bytes of another length, and zeroes them too", () => {
      for (const length of [0, 16, 31, 33, 64]) {
        const bytes = Buffer.alloc(length, 1);
        expect(codeOf(() => DataKey.fromBytes(bytes))).to.equal("kms_broken");
        expect(bytes.every((byte) => byte === 0)).to.equal(true);
      }
    });

    it("ends with its last holder and refuses every use afterwards", () => {
      const key = newKey();
      const value = sealed(key, ssn);
      expect(key.retain()).to.equal(key);
      key.release();
      expect(key.open(value, binding).toString()).to.equal('"078-05-1120"');
      key.release();
      const uses = [
        () => key.open(value, binding),
        () => key.seal(ssn, short(key)),
        () => key.seal(email, short(key)),
        () => key.retain(),
        () => key.release(),
      ];
      for (const use of uses) expect(codeOf(use)).to.equal("key_ended");
    });

    it("ends its nonce source with itself", () => {
      const nonces = new FixedNonces(Buffer.alloc(24, 1), Buffer.alloc(24, 2));
      const key = DataKey.fromBytes(hex(dek), nonces);
      key.seal(ssn, short(key));
      expect(nonces.ended).to.equal(false);
      key.release();
      expect(nonces.ended).to.equal(true);
    });

    it("knows references to itself in both forms, and no others", () => {
      const key = newKey();
      const flipped = Buffer.from(key.id);
      flipped.writeUInt8(flipped.readUInt8(31) ^ 1, 31);
      expect(key.matches(short(key))).to.equal(true);
      expect(key.matches(inline(key))).to.equal(true);
      expect(key.matches({ form: "keyring", shortId: key.id })).to.equal(false);
      expect(key.matches({ form: "keyring", shortId: Buffer.alloc(0) })).to.equal(false);
      expect(key.matches({ form: "inline", id: flipped, kek: "main", wrapped: Buffer.alloc(8) })).to.equal(false);
    });

    it("counts the values and bytes it has sealed", () => {
      const key = newKey();
      key.seal({ ...ssn, pad: 32 }, short(key));
      key.seal(email, short(key));
      expect(codeOf(() => key.seal({ ...ssn, plaintext: Buffer.alloc(0) }, short(key)))).to.equal("internal");
      expect([key.sealedValues, key.sealedBytes]).to.deep.equal([2, 32 + 7]);
    });
  });

  describe("sealing", () => {
    it("refuses a reference to another key", () => {
      const key = newKey();
      const other = DataKey.fromBytes(Buffer.alloc(32, 9));
      expect(codeOf(() => key.seal(ssn, short(other)))).to.equal("internal");
      expect(codeOf(() => key.seal(ssn, inline(other)))).to.equal("internal");
    });

    it("refuses a record that is empty or that UTF-8 cannot hold", () => {
      const key = newKey();
      for (const record of ["", "a\ud800"]) {
        expect(codeOf(() => key.seal({ ...ssn, binding: { ...binding, record } }, short(key)))).to.equal(
          "record_invalid",
        );
      }
    });

    it("refuses any other name that UTF-8 cannot hold", () => {
      const key = newKey();
      for (const name of ["tenant", "dataset", "field"]) {
        const odd = { ...binding, [name]: "\udc00" };
        expect(codeOf(() => key.seal({ ...ssn, binding: odd }, short(key)))).to.equal("internal");
        expect(codeOf(() => key.open(sealed(key, ssn), odd))).to.equal("open_failed");
      }
    });

    it("refuses a record under suite 2", () => {
      const key = newKey();
      expect(codeOf(() => key.seal({ ...email, binding }, short(key)))).to.equal("internal");
    });

    it("refuses padding of raw bytes and padding to no positive integer", () => {
      const key = newKey();
      expect(codeOf(() => key.seal({ ...ssn, rawBytes: true, pad: 16 }, short(key)))).to.equal("internal");
      for (const pad of [0, -1, 1.5, NaN]) {
        expect(codeOf(() => key.seal({ ...ssn, pad }, short(key)))).to.equal("internal");
      }
    });

    it("takes only JSON strings under suite 2, and every spelling of one for the same", () => {
      const key = newKey();
      const seal = (text: string): string => key.seal({ ...email, plaintext: json(text) }, short(key));
      for (const text of ["1", "null", "{}", "true", '["a"]']) expect(codeOf(() => seal(text))).to.equal("field_type");
      expect(codeOf(() => seal('"\\ud800"'))).to.equal("lone_surrogate");
      expect(codeOf(() => seal('"a'))).to.equal("json_invalid");
      expect(seal('"\\u0061@\\u0062.c"')).to.equal(seal('"a@b.c"'));
      expect(seal('"\\u00e9\\/"')).to.equal(seal('"é/"'));
      expect(seal('"A"')).not.to.equal(seal('"a"'));
    });

    it("seals raw bytes under suite 2 as they are", () => {
      const key = newKey();
      const raw = { ...email, rawBytes: true, plaintext: hex("ff00") };
      expect(key.open(sealed(key, raw), unbound).toString("hex")).to.equal("ff00");
    });

    it("never gives a nonce or a text twice (C-11)", () => {
      const key = newKey();
      const texts = new Set<string>();
      const nonces = new Set<string>();
      for (let i = 0; i < 10_000; i++) {
        const text = key.seal(ssn, short(key));
        texts.add(text);
        nonces.add(parseSealedValue(text)?.body.toString("hex", 0, 24) ?? "");
      }
      expect([texts.size, nonces.size]).to.deep.equal([10_000, 10_000]);
    });

    it("makes other messages of equal last 12 nonce bytes, and of equal first 12 (C-12)", () => {
      const same = Buffer.alloc(12, 5);
      const nonces = [1, 2, 3].map((byte) => Buffer.concat([Buffer.alloc(12, byte), same]));
      const mirrored = nonces.map((nonce) => Buffer.concat([nonce.subarray(12), nonce.subarray(0, 12)]));
      const key = newKey(...nonces, ...mirrored);
      const ciphertexts = Array.from({ length: 6 }, () => sealed(key, ssn).body.toString("hex", 24));
      expect(new Set(ciphertexts).size).to.equal(6);
    });
  });

  describe("opening", () => {
    it("lets the value decide whether its record is bound", () => {
      const key = newKey();
      const free = sealed(key, { ...ssn, binding: unbound });
      const bound = sealed(key, ssn);
      for (const record of [undefined, "", "4711", "4712", "\ud800"]) {
        expect(key.open(free, { ...binding, record }).toString()).to.equal('"078-05-1120"');
        const opened = codeOf(() => key.open(bound, { ...binding, record }));
        expect(opened).to.equal(record === "4711" ? undefined : "open_failed");
      }
    });

    it("refuses a value that somebody bound to an empty record", () => {
      const names = { tenant: "t1", dataset: "patients", field: "ssn", record: "" };
      const nonce = "00".repeat(24);
      const text = referenceSeal({ ...names, dek, suite: 1, form: 0x10, plaintext: "31", nonce });
      const value = parseSealedValue(text);
      if (value === undefined) throw new Error("the text does not parse");
      for (const record of ["", undefined]) {
        expect(codeOf(() => newKey().open(value, { ...names, record }))).to.equal("open_failed");
      }
    });

    it("refuses what no parser gives: a short body, a record under suite 2", () => {
      const key = newKey();
      const value = sealed(key, email);
      expect(codeOf(() => key.open({ ...value, recordBound: true }, binding))).to.equal("open_failed");
      expect(codeOf(() => key.open({ ...value, body: value.body.subarray(0, 15) }, unbound))).to.equal("open_failed");
      const long = sealed(key, ssn);
      expect(codeOf(() => key.open({ ...long, body: long.body.subarray(0, 39) }, binding))).to.equal("open_failed");
    });

    it("cuts spaces at the end of JSON text whatever pad says, and no other bytes, and none of raw bytes", () => {
      const key = newKey();
      const open = (plaintext: string, rawBytes: boolean): string =>
        key.open(sealed(key, { ...ssn, plaintext: json(plaintext), rawBytes }), binding).toString();
      expect(open('"a"   ', false)).to.equal('"a"');
      expect(open('"a" \t', false)).to.equal('"a" \t');
      expect(open('"a  "', false)).to.equal('"a  "');
      expect(open('"a"   ', true)).to.equal('"a"   ');
      expect(open("", true)).to.equal("");
    });

    it("refuses JSON text of nothing but spaces: it would leave a hole in the document", () => {
      const key = newKey();
      const value = sealed(key, { ...ssn, plaintext: json("   ") });
      expect(codeOf(() => key.open(value, binding))).to.equal("open_failed");
    });

    it("opens one body under one of two keys only, where AES-GCM opens it under both (C-10)", () => {
      const file = new URL("../vectors/own-vectors/gcm-two-key.json", import.meta.url);
      type TwoKeys = Readonly<Record<"k1" | "k2" | "iv" | "aad" | "ct" | "tag" | "m1" | "m2", string>>;
      const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: TwoKeys[] };
      expect(cases.length).to.equal(4);
      for (const { k1, k2, iv, aad, ct, tag, m1, m2 } of cases) {
        const opened = [k1, k2].map((key) =>
          gcmOpen({ key: hex(key), nonce: hex(iv) }, { ciphertext: hex(ct), tag: hex(tag) }, hex(aad))?.toString("hex"),
        );
        expect(opened).to.deep.equal([m1, m2]);
        // As an envelope it names one of the two. Bodies made to be right under two data keys: golden class "two-key".
        const keys = [k1, k2].map((bytes) => DataKey.fromBytes(hex(bytes)));
        for (const named of keys) {
          const value = sealed(named, ssn);
          const verdicts = keys.map((key) => codeOf(() => key.open(value, binding)));
          expect(verdicts.filter((code) => code === undefined).length).to.equal(1);
          expect(keys.filter((key) => key.matches(value.key)).length).to.equal(1);
        }
      }
    });
  });

  describe("for any input", () => {
    const bytes = (min: number, max: number) =>
      fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
    const wholeBinding = fc.record({
      tenant: name,
      dataset: name,
      field: name,
      record: fc.option(name, { nil: undefined }),
    });

    it("gives raw bytes back and agrees with the second implementation, suite 1", () => {
      const inputs = fc.record({
        plaintext: bytes(0, 200),
        binding: wholeBinding,
        secret: bytes(32, 32),
        nonce: bytes(24, 24),
      });
      fc.assert(
        fc.property(inputs, ({ plaintext, binding, secret, nonce }) => {
          const hexDek = secret.toString("hex");
          const key = DataKey.fromBytes(secret, new FixedNonces(nonce));
          const record = binding.record ?? "";
          const text = key.seal({ suite: 1, plaintext, rawBytes: true, binding }, short(key));
          const form = record === "" ? 0x20 : 0x30;
          const input = { ...binding, record, dek: hexDek, suite: 1, form, nonce: nonce.toString("hex") };
          expect(text).to.equal(referenceSeal({ ...input, plaintext: plaintext.toString("hex") }));
          const value = parseSealedValue(text);
          expect(value !== undefined && key.open(value, binding).equals(plaintext)).to.equal(true);
        }),
        { numRuns: 200 },
      );
    });

    it("gives strings back in canonical form and agrees with the second implementation, suite 2", () => {
      const text = fc.string({ unit: "binary", maxLength: 40 }).filter((one) => one.isWellFormed());
      fc.assert(
        fc.property(text, wholeBinding, (content, where) => {
          const key = newKey();
          const plaintext = json(JSON.stringify(content));
          const names = { ...where, record: undefined };
          const token = key.seal({ suite: 2, plaintext, rawBytes: false, binding: names }, inline(key));
          const input = { ...where, record: "", dek, kek: "main", wrapped: "00".repeat(8) };
          const opened = referenceOpen(token, input);
          expect(typeof opened !== "string" && opened.equals(plaintext)).to.equal(true);
          expect(token).to.equal(
            referenceSeal({ ...input, suite: 2, form: 0x01, plaintext: plaintext.toString("hex") }),
          );
        }),
        { numRuns: 200 },
      );
    });

    it("round-trips values around the borders of blocks and far above (C-15)", () => {
      const key = newKey();
      for (const length of [0, 1, 15, 16, 17, 16_383, 16_384, 16_385, 524_287, 524_288, 524_289, 5 << 20]) {
        const plaintext = Buffer.alloc(length, 0x61);
        for (const sealing of [
          { ...ssn, plaintext, rawBytes: true },
          { ...email, plaintext, rawBytes: true },
        ]) {
          const opened = key.open(sealed(key, sealing), sealing.binding);
          expect(opened.equals(plaintext), `${sealing.suite} ${length}`).to.equal(true);
        }
      }
    });
  });
});
