import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { formatSealedValue, parseSealedValue } from "../../src/crypto/sealed-value.ts";
import { codeOf } from "./code-of.ts";
import { referenceOpen } from "./reference.ts";
import { bindingOf, keyOf, parsed, plaintextOf, sealAgain } from "./sealed-value-cases.ts";
import { sealedValueCases, type SealedValueCase } from "./sealed-value-cases.ts";

const vectors = (name: string): string => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));

const files = [
  { name: "own-swr1/vectors.json", title: "of the independent reference (own-swr1)", counts: [64, 287, 229] },
  { name: "sealed-value-v1.json", title: "of this project (golden)", counts: [66, 485, 365] },
];

for (const file of files) {
  describe(`sealed values ${file.title}`, () => {
    const cases = sealedValueCases(file.name);
    const of = (kind: SealedValueCase["expect"]): SealedValueCase[] => cases.filter((one) => one.expect === kind);
    const opening = of("open");
    const malformed = of("malformed");
    const failing = of("open_failed");

    it(`holds ${cases.length} cases`, () => {
      expect([opening.length, malformed.length, failing.length]).to.deep.equal(file.counts);
      expect(new Set(cases.map((one) => one.id)).size).to.equal(cases.length);
    });

    it("opens every open case to its plaintext and formats it to the same text", () => {
      for (const one of opening) {
        const value = parsed(one);
        expect(keyOf(one).open(value, bindingOf(one)).equals(plaintextOf(one)), one.id).to.equal(true);
        expect(formatSealedValue(value), one.id).to.equal(one.token);
      }
    });

    it("seals every open case that says how to the same text", () => {
      const sealable = opening.filter((one) => one.suite !== undefined);
      expect(sealable.length).to.be.greaterThan(50);
      for (const one of sealable) expect(sealAgain(one), one.id).to.equal(one.token);
    });

    it("takes every malformed case for just text", () => {
      for (const one of malformed) expect(parseSealedValue(one.token), one.id).to.equal(undefined);
    });

    it("parses every open_failed case, formats it to the same text and does not open it", () => {
      for (const one of failing) {
        const value = parsed(one);
        expect(formatSealedValue(value), one.id).to.equal(one.token);
        expect(
          codeOf(() => keyOf(one).open(value, bindingOf(one))),
          one.id,
        ).to.equal("open_failed");
      }
    });

    it("gets the same verdict from the tests' own second implementation", () => {
      for (const one of cases) {
        const verdict = referenceOpen(one.token, { ...one, record: one.record ?? "" });
        const expected = one.expect === "open" ? plaintextOf(one).toString("hex") : one.expect;
        expect(typeof verdict === "string" ? verdict : verdict.toString("hex"), one.id).to.equal(expected);
      }
    });
  });
}

describe("the golden file", () => {
  it("is what its script makes, byte for byte", () => {
    const made = execFileSync(process.execPath, [vectors("make-sealed-value-v1.ts")], { maxBuffer: 1 << 26 });
    expect(made.equals(readFileSync(vectors("sealed-value-v1.json")))).to.equal(true);
  });
});
