import { expect } from "chai";
import fc from "fast-check";
import { loneSurrogate } from "../../src/codec/lone-surrogate.ts";

const escape = (unit: number): string => `\\u${unit.toString(16).padStart(4, "0")}`;

/** Milliseconds, the best of three: a loaded machine makes some rounds long. */
function bestOf(task: () => void): number {
  const rounds = [0, 1, 2].map(() => {
    const started = performance.now();
    task();
    return performance.now() - started;
  });
  return Math.min(...rounds);
}

describe("lone surrogates", () => {
  it("are found where the string's text is not well formed, and nowhere else", () => {
    const unit = fc.oneof(
      fc.integer({ min: 0xd7fe, max: 0xe001 }),
      fc.integer({ min: 0xdbfe, max: 0xdc01 }),
      fc.integer({ min: 0, max: 0xffff }),
    );
    const piece = fc.oneof(
      unit.map(escape),
      unit.map((code) => escape(code).toUpperCase().replace("U", "u")),
      fc.constantFrom("a", "ud800", "\\\\", "\\\\ud800", '\\"', "\\n", "é", "😀", "d800"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const source = `"${pieces.join("")}"`;
        const text = JSON.parse(source) as string;
        expect(loneSurrogate(Buffer.from(source)) < 0, source).to.equal(text.isWellFormed());
      }),
      { numRuns: 2_000 },
    );
  });

  it("are told by the offset of the first half without another", () => {
    expect(loneSurrogate(Buffer.from('"\\ud83d\\ude00\\n\\ud83d"'))).to.equal(15);
    expect(loneSurrogate(Buffer.from('["\\ude00"]'))).to.equal(2);
  });

  it("are looked for in no more time than a few readings of the text, however many escapes there are", () => {
    for (const one of ["\\u0073", "\\ud83d\\ude00", "\\n", "\\u0073a"]) {
      const source = `"${one.repeat(600_000)}"`;
      const bytes = Buffer.from(source);
      const looked = bestOf(() => void loneSurrogate(bytes));
      expect(looked, one).to.be.below(8 * bestOf(() => void JSON.parse(source)));
    }
  });
});
