import { expect } from "chai";
import fc from "fast-check";
import { DataKey } from "../../src/crypto/data-key.ts";
import { formatSealedValue, parseSealedValue, sealedTextLength } from "../../src/crypto/sealed-value.ts";
import type { Binding, KeyReference, SealedValue, Suite } from "../../src/crypto/types.ts";
import { codeOf } from "./code-of.ts";

const binding: Binding = { tenant: "t1", dataset: "patients", field: "ssn", record: undefined };
const key = DataKey.fromBytes(Buffer.alloc(32, 7));
const keyring: KeyReference = { form: "keyring", shortId: key.shortId };
const inline: KeyReference = { form: "inline", id: key.id, kek: "main", wrapped: Buffer.alloc(20, 1) };
const seal = (suite: Suite, plaintext: Buffer, reference: KeyReference): string =>
  key.seal({ suite, plaintext, rawBytes: true, binding }, reference);

const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));
const lowerName = fc.string({ unit: fc.constantFrom("a", "b", "x", "z", "0", "9", "-"), minLength: 1, maxLength: 63 });
const anyReference: fc.Arbitrary<KeyReference> = fc.oneof(
  bytes(16, 16).map((shortId) => ({ form: "keyring" as const, shortId })),
  fc.record({ form: fc.constant("inline" as const), id: bytes(32, 32), kek: lowerName, wrapped: bytes(1, 300) }),
);
const anyValue: fc.Arbitrary<SealedValue> = fc.oneof(
  fc.record({
    suite: fc.constant(1 as const),
    recordBound: fc.boolean(),
    rawBytes: fc.boolean(),
    key: anyReference,
    body: bytes(40, 120),
  }),
  fc.record({
    suite: fc.constant(2 as const),
    recordBound: fc.constant(false),
    rawBytes: fc.boolean(),
    key: anyReference,
    body: bytes(16, 120),
  }),
);

describe("the sealed value's text", () => {
  it("of any value parses to the same value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(parseSealedValue(formatSealedValue(value))).to.deep.equal(value);
      }),
      { numRuns: 300 },
    );
  });

  it("is the only text of its value: whatever parses formats to itself", () => {
    const envelopes = fc.oneof(
      bytes(0, 150),
      fc
        .record({
          suite: fc.constantFrom(1, 2),
          form: fc.constantFrom(0, 1, 0x10, 0x11, 0x20, 0x21),
          rest: bytes(56, 150),
        })
        .map(({ suite, form, rest }) => Buffer.concat([Buffer.from([suite, form]), rest])),
    );
    let parsed = 0;
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const text = `swr1.${envelope.toString("base64url")}`;
        const value = parseSealedValue(text);
        if (value === undefined) return;
        parsed += 1;
        expect(formatSealedValue(value)).to.equal(text);
      }),
      { numRuns: 1000 },
    );
    expect(parsed).to.be.greaterThan(50);
  });

  it("never opens when any character is changed, put in, taken out or doubled", () => {
    const texts = [seal(1, Buffer.from("abc"), keyring), seal(2, Buffer.from("abc"), keyring)];
    const edit = fc.record({
      text: fc.constantFrom(...texts),
      at: fc.nat({ max: 90 }),
      kind: fc.constantFrom("change", "insert", "remove", "double"),
      character: fc.oneof(
        fc.constantFrom("A", "B", "Z", "a", "z", "0", "9", "-", "_", "="),
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(edit, ({ text, at: anywhere, kind, character }) => {
        const at = anywhere % text.length;
        const middle = {
          change: character,
          insert: character + text.charAt(at),
          remove: "",
          double: text.charAt(at).repeat(2),
        };
        const edited = text.slice(0, at) + middle[kind] + text.slice(at + 1);
        if (edited === text) return;
        const value = parseSealedValue(edited);
        if (value !== undefined) expect(codeOf(() => key.open(value, binding))).to.equal("open_failed");
      }),
      { numRuns: 2000 },
    );
  });

  it("does not parse from any text that is not one", () => {
    for (const text of ["", "swr1", "swr1.", "swr1.A", "swr1.AQ", "swr1.AQA", "swr2.AQAA", "\ud800", "078-05-1120"]) {
      expect(parseSealedValue(text)).to.equal(undefined);
    }
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => parseSealedValue(`swr1.${text}`) === undefined));
  });

  it("cannot be made of a value that would not read back", () => {
    const good = parseSealedValue(seal(1, Buffer.from("abc"), keyring));
    if (good === undefined) throw new Error("what was sealed does not parse");
    const bad: SealedValue[] = [
      { ...good, body: Buffer.alloc(39) },
      { ...good, suite: 2, recordBound: true },
      { ...good, key: { form: "keyring", shortId: Buffer.alloc(15) } },
      { ...good, key: { ...inline, id: Buffer.alloc(16) } },
      { ...good, key: { ...inline, wrapped: Buffer.alloc(0) } },
      { ...good, key: { ...inline, wrapped: Buffer.alloc(65_536) } },
      ...["", "A", "a_b", "é", "k".repeat(64)].map((kek) => ({ ...good, key: { ...inline, kek } })),
    ];
    for (const value of bad) expect(codeOf(() => formatSealedValue(value))).to.equal("internal");
  });
});

describe("the sealed value's length", () => {
  it("is 100 characters for a string of 11 in keyring form", () => {
    expect(sealedTextLength('"078-05-1120"'.length, { suite: 1 })).to.equal(100);
  });

  it("is known before sealing, for every suite, form and padding", () => {
    const shapes = fc.record({
      suite: fc.constantFrom(1 as const, 2 as const),
      reference: fc.constantFrom(keyring, inline),
      length: fc.integer({ min: 1, max: 300 }),
      pad: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(shapes, ({ suite, reference, length, pad }) => {
        const plaintext = Buffer.from(JSON.stringify("x".repeat(length)));
        const padding = pad === undefined ? {} : { pad };
        const text = key.seal({ suite, plaintext, rawBytes: false, binding, ...padding }, reference);
        const sizes = reference.form === "inline" ? { inline: { kekBytes: 4, wrappedBytes: 20 } } : {};
        expect(sealedTextLength(plaintext.length, { suite, ...sizes, ...padding })).to.equal(text.length);
      }),
    );
  });
});
