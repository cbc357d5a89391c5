import { expect } from "chai";
import fc from "fast-check";
import { NameSet } from "../../src/codec/name-set.ts";
import { unescapeName } from "../../src/codec/name-text.ts";
import { stringText } from "./json-arbitrary.ts";
import { deadGuide, scan, waysToCut } from "./scan-rig.ts";

const long = (letter: string): string => letter.repeat(60);

const duplicates = {
  "one name twice": '{"a":1,"a":2}',
  "one spelt with an escape": '{"ssn":1,"\\u0073sn":2}',
  "a solidus escaped and not": '{"a/b":1,"a\\/b":2}',
  "raw and escaped outside ASCII": '{"é日😀":1,"\\u00e9\\u65e5\\ud83d\\uDE00":2}',
  "the empty name": '{"":1,"":2}',
  "a NUL in the name": '{"\\u0000":1,"\\u0000":2}',
  "names longer than are kept": `{"${long("a")}":1,"${long("\\u0061")}":2}`,
  "a lone surrogate": '{"\\ud800":1,"\\uD800":2}',
  "a name far apart": `{"a":1,${Array.from({ length: 100 }, (_, i) => `"k${i}":${i},`).join("")}"a":2}`,
  "around a nested object with the same name": '{"a":{"a":1},"b":2,"a":3}',
};

const distinct = {
  "case variants": '{"a":1,"A":2}',
  "normal forms": '{"é":1,"e\u0301":2}',
  "the same name at other depths": '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
  "NUL-padded names": '{"a":1,"a\\u0000":2,"a\\u0000\\u0000":3,"":4,"\\u0000":5}',
  "long names that differ at the end": `{"${long("a")}b":1,"${long("a")}c":2}`,
  "a lone surrogate and its bytes' replacement": '{"\\ud800":1,"\ufffd":2,"\\udfff":3}',
  "names of Object.prototype": '{"__proto__":1,"constructor":2,"toString":3,"hasOwnProperty":4,"prototype":5}',
};

describe("codec/duplicate names", () => {
  for (const [name, text] of Object.entries(duplicates)) {
    for (const [where, before, after] of [
      ["at the root", "", ""],
      ["deep down", '[{"x":[', "]}]"],
    ] as const) {
      it(`refuses ${name} ${where}, live and dead, wherever it is cut`, () => {
        const body = Buffer.from(before + text + after);
        const whole = scan(body, []);
        expect(whole.code).to.equal("duplicate_key");
        for (const way of waysToCut(body.length)) {
          expect(scan(body, way)).to.deep.equal(whole);
          expect(scan(body, way, { guide: deadGuide })).to.deep.equal(whole);
        }
      });
    }
  }

  for (const [name, text] of Object.entries(distinct)) {
    it(`tells apart ${name}`, () => {
      const body = Buffer.from(text);
      for (const way of waysToCut(body.length)) expect(scan(body, way).output).to.deep.equal(body);
    });
  }

  it("points at the second name's quote", () => {
    expect(scan(Buffer.from('{"a":1, "a":2}'), []).position).to.equal(8);
  });

  it("decodes names as JSON.parse does, code unit by code unit", () => {
    fc.assert(
      fc.property(stringText, (source) => {
        const written = Buffer.from(source.slice(1, -1));
        const into = Buffer.alloc(written.length);
        const decoded = into.subarray(0, unescapeName(written, 0, written.length, into));
        const text = JSON.parse(source) as string;
        if (text.isWellFormed()) expect(decoded.toString("utf8")).to.equal(text);
        const replaced = Buffer.from(text).length;
        expect(decoded.length).to.equal(replaced);
      }),
      { numRuns: 1000 },
    );
  });

  it("is a set of strings, for any names in any nesting of objects", () => {
    const name = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ max: 60 }).map((i) => `name${i}`) },
      { weight: 1, arbitrary: fc.string({ maxLength: 70 }) },
      { weight: 1, arbitrary: fc.integer({ max: 20 }).map((i) => `${"long ".repeat(12)}${i}`) },
    );
    const step = fc.oneof(
      { weight: 12, arbitrary: name },
      { weight: 1, arbitrary: fc.constantFrom("open" as const, "close" as const).map((call) => ({ call })) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const set = new NameSet();
        const model: Set<string>[] = [new Set()];
        set.open();
        for (const next of steps) {
          if (typeof next === "string") {
            const bytes = Buffer.from(`_${next}_`);
            expect(set.add(bytes, 1, bytes.length - 1, false)).to.equal(!model.at(-1)?.has(next));
            model.at(-1)?.add(next);
          } else if (next.call === "open") {
            set.open();
            model.push(new Set());
          } else if (model.length > 1) {
            set.close();
            model.pop();
          }
          expect(set.size).to.equal(model.at(-1)?.size);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps an outer object's buckets while inner objects come and go", () => {
    const set = new NameSet();
    const names = Array.from({ length: 5000 }, (_, i) => Buffer.from(`k${i}`));
    set.open();
    for (const [i, name] of names.entries()) {
      expect(set.add(name, 0, name.length, false)).to.be.true;
      set.open();
      for (const inner of names.slice(0, i % 40)) expect(set.add(inner, 0, inner.length, false)).to.be.true;
      set.close();
    }
    for (const name of names) expect(set.add(name, 0, name.length, false)).to.be.false;
  });
});
