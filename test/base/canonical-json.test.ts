import { expect } from "chai";
import { canonicalJson, canonicalJsonString } from "../../src/base/canonical-json.ts";
import { codeOf } from "../crypto/code-of.ts";

describe("canonical JSON (RFC 8785)", () => {
  it("prints the whole example of section 3.2.2 as section 3.2.3 does", () => {
    const value: unknown = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(value)).to.equal(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts names by UTF-16 code units, as in section 3.2.3", () => {
    const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
    expect(text).to.equal(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(",")}}`);
  });

  it("prints numbers as appendix B does", () => {
    const rows = new Map([
      [0, "0"],
      [-0, "0"],
      [5e-324, "5e-324"],
      [-1.7976931348623157e308, "-1.7976931348623157e+308"],
      [9007199254740992, "9007199254740992"],
      [295147905179352830000, "295147905179352830000"],
      [1e23, "1e+23"],
      [0.000001, "0.000001"],
      [333333333.33333325, "333333333.33333325"],
    ]);
    for (const [number, text] of rows) expect(canonicalJson(number)).to.equal(text);
  });

  it("sorts at every depth and keeps the order of arrays", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, [], {}], a: null })).to.equal('{"a":null,"b":[{"c":2,"d":1},[],{}]}');
  });

  it("takes objects without a prototype, and a member named __proto__ like any other", () => {
    expect(canonicalJson(Object.assign(Object.create(null) as object, { a: 1 }))).to.equal('{"a":1}');
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).to.equal('{"__proto__":1}');
  });

  it("refuses lone surrogates in values and names", () => {
    for (const value of ["\ud800", { "\udc00": 1 }, ["a\ud83d"]]) {
      expect(codeOf(() => canonicalJson(value))).to.equal("lone_surrogate");
    }
    expect(canonicalJsonString("\ud83d\ude00")).to.equal('"\ud83d\ude00"');
  });

  it("refuses what is no JSON value instead of leaving it out", () => {
    const noJson = [undefined, NaN, Infinity, 1n, () => 0, Symbol("s"), new Date(0), new Map(), Buffer.alloc(1)];
    for (const value of [...noJson, { a: undefined }, [undefined], { a: NaN }]) {
      expect(codeOf(() => canonicalJson(value))).to.equal("internal");
    }
  });
});
