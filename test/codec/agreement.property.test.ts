import { isUtf8 } from "node:buffer";
import { expect } from "chai";
import fc from "fast-check";
import { cutFractions, cutsOf, documentText, stringText } from "./json-arbitrary.ts";
import { depthOf, hasDuplicateName, readJson } from "./reference-reader.ts";
import { everyByte, scan } from "./scan-rig.ts";

const depth = 4;

function parses(body: Buffer): boolean {
  try {
    JSON.parse(body.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/** The verdict by `JSON.parse`, `isUtf8` and the reference reader; refusals of form are all one. */
function expectedVerdict(body: Buffer): string {
  if (!isUtf8(body) || !parses(body)) return "refused";
  const root = readJson(body);
  if (hasDuplicateName(root) || depthOf(root) > depth) return "refused";
  return "accepted";
}

/** The scanner's verdict, found equal for the whole, in bytes and in the given pieces. */
function steadyVerdict(body: Buffer, fractions: readonly number[]): string {
  const limits = { depth };
  const whole = scan(body, [], { limits });
  expect(scan(body, everyByte(body.length), { limits })).to.deep.equal(whole);
  expect(scan(body, cutsOf(body.length, fractions), { limits })).to.deep.equal(whole);
  if (whole.code === "accepted") expect(whole.output).to.deep.equal(body);
  return whole.code === "accepted" ? "accepted" : "refused";
}

const mutations = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.integer({ min: 0, max: 2 }),
    insert: fc.oneof(
      fc
        .constantFrom(
          ...['"', "\\", "{", "}", "[", "]", ",", ":", "-", "0", "1", ".", "e", "+", " ", "\0", "t", "null", "\\u"],
        )
        .map((text) => Buffer.from(text)),
      fc
        .constantFrom("80", "c0af", "eda080", "f4908080", "e282", "efbbbf", "ff", "f09f9880")
        .map((hex) => Buffer.from(hex, "hex")),
      fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
    ),
  }),
  { maxLength: 3 },
);

describe("codec/agreement with JSON.parse", () => {
  it("accepts and refuses what JSON.parse does, names held twice and depth apart, however cut", () => {
    let accepted = 0;
    fc.assert(
      fc.property(documentText(stringText, true), mutations, cutFractions, (text, changes, fractions) => {
        let body = Buffer.from(text);
        for (const { at, remove, insert } of changes) {
          const from = Math.floor(at * body.length);
          body = Buffer.concat([body.subarray(0, from), insert, body.subarray(from + remove)]);
        }
        const verdict = steadyVerdict(body, fractions);
        expect(verdict).to.equal(expectedVerdict(body));
        if (verdict === "accepted") accepted += 1;
      }),
      { numRuns: 4000 },
    );
    expect(accepted).to.be.within(400, 3600);
  });

  it("agrees on arbitrary short texts over JSON's own alphabet", () => {
    const letters = fc.constantFrom(
      ...'{}[]",:-0123.eE+\\ \ntruefalsn'.split(""),
      "true",
      "false",
      "null",
      '""',
      '"a":',
      "\\u00e9",
      "é",
    );
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), (parts) => {
        const body = Buffer.from(parts.join(""));
        expect(steadyVerdict(body, [0.5])).to.equal(expectedVerdict(body));
      }),
      { numRuns: 6000 },
    );
  });
});
