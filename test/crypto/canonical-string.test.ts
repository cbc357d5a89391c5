import { expect } from "chai";
import fc from "fast-check";
import { canonicalString } from "../../src/crypto/canonical-string.ts";
import { codeOf } from "./code-of.ts";

const canonical = (source: string): string => canonicalString(Buffer.from(source, "utf8")).toString("utf8");

/** `text` as a JSON string, every code unit in some spelling that `choices` picks. */
function spelled(text: string, choices: readonly number[]): string {
  const units = text.split("").map((unit, i) => {
    const code = unit.charCodeAt(0).toString(16).padStart(4, "0");
    const choice = (choices[i % choices.length] ?? 0) % 3;
    const surrogate = !unit.isWellFormed();
    if (surrogate || choice === 1) return `\\u${code}`;
    if (choice === 2) return `\\u${code.toUpperCase()}`;
    return JSON.stringify(unit).slice(1, -1);
  });
  return `"${units.join("")}"`;
}

describe("the canonical form of a JSON string", () => {
  it("uses the short escapes, lower-case hex for other controls, and no escape else", () => {
    expect(canonical('"\\u0008\\u0009\\u000A\\u000c\\u000D\\u0022\\u005C\\u002f"')).to.equal(
      '"\\b\\t\\n\\f\\r\\"\\\\/"',
    );
    expect(canonical('"\\u001F\\u007f\\u2028\\u00E9\\ud83d\\ude00"')).to.equal('"\\u001f\u007f\u2028é😀"');
  });

  it("leaves canonical text as it is", () => {
    for (const text of ['""', '"a@b.c"', '"é\u2029"', '"\\u0000"']) expect(canonical(text)).to.equal(text);
  });

  it("is the same for every spelling of a string", () => {
    const text = fc.string({ unit: "binary", maxLength: 30 }).filter((one) => one.isWellFormed());
    const choices = fc.array(fc.nat(2), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(text, choices, (one, how) => {
        expect(canonical(spelled(one, how))).to.equal(JSON.stringify(one));
      }),
      { numRuns: 100 },
    );
  });

  it("refuses other values, broken text, broken UTF-8 and lone surrogates", () => {
    for (const text of ["1", "null", "true", "[]", "{}"]) expect(codeOf(() => canonical(text))).to.equal("field_type");
    for (const text of ["", '"', '"a', 'a"', '"\n"', '"\\x"', '"a""']) {
      expect(codeOf(() => canonical(text))).to.equal("json_invalid");
    }
    for (const text of ['"\\ud800"', '"\\udc00\\ud800"', '"a\\ud83dz"']) {
      expect(codeOf(() => canonical(text))).to.equal("lone_surrogate");
    }
    expect(codeOf(() => canonicalString(Buffer.from([0x22, 0xff, 0x22])))).to.equal("json_encoding");
  });
});
