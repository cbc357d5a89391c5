import { isUtf8 } from "node:buffer";
import { expect } from "chai";
import fc from "fast-check";
import { firstIllFormed, wholeSequencesEnd } from "../../src/codec/utf8-tail.ts";
import { cutFractions, cutsOf } from "./json-arbitrary.ts";
import { deadGuide, everyByte, everyStep, scan, waysToCut } from "./scan-rig.ts";

const illFormed = {
  "overlong slash": "c0af",
  "overlong in three bytes": "e080af",
  "overlong in four bytes": "f08080af",
  "a continuation alone": "80",
  "a surrogate": "eda080",
  "a surrogate pair": "eda081edb080",
  "beyond U+10FFFF": "f4908080",
  "a five-byte lead": "f888808080",
  "0xff": "ff",
  "a lead without continuation": "e2",
  "a sequence cut after two bytes": "e282",
  "a sequence cut after three bytes": "f09f98",
};

const wrap = (before: string, hex: string, after: string): Buffer =>
  Buffer.concat([Buffer.from(before), Buffer.from(hex, "hex"), Buffer.from(after)]);

describe("codec/utf8", () => {
  for (const [name, hex] of Object.entries(illFormed)) {
    it(`refuses ${name} in a name, a value, white space and at the end, wherever it is cut`, () => {
      for (const before of ['{"é', '{"a":"', '[["ü', " ", '"ok"', ""]) {
        for (const after of ['":1}', '"]]', ""]) {
          const body = wrap(before, hex, after);
          for (const way of waysToCut(body.length)) {
            for (const setup of [{}, { guide: deadGuide }]) {
              const verdict = scan(body, way, setup);
              expect(verdict.code).to.equal("json_encoding");
              expect(verdict.position).to.equal(Buffer.byteLength(before));
            }
          }
        }
      }
    });
  }

  it("lets the first offence in byte order decide, however the body is cut", () => {
    const syntaxFirst = wrap('{"a" 1,"', "c0af", '":2}');
    const encodingFirst = wrap('{"a', "ff", '" 1}');
    for (const way of waysToCut(syntaxFirst.length)) {
      expect(scan(syntaxFirst, way)).to.include({ code: "json_invalid", position: 5 });
    }
    for (const way of waysToCut(encodingFirst.length)) {
      expect(scan(encodingFirst, way)).to.include({ code: "json_encoding", position: 3 });
    }
  });

  it("passes every character of every length at every cut", () => {
    const body = Buffer.from('{"\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}":"\u00e9日😀"}');
    for (const way of waysToCut(body.length)) expect(scan(body, way).output).to.deep.equal(body);
    for (const step of [2, 3, 4, 5]) expect(scan(body, everyStep(body.length, step)).output).to.deep.equal(body);
  });

  for (const encoding of ["utf-16le", "utf-16be", "utf-32le", "utf-32be", "utf-8 with a byte order mark"]) {
    it(`refuses a body in ${encoding}`, () => {
      const text = '{"ssn":"CANARY"}';
      const unit = encoding.startsWith("utf-16") ? 2 : 4;
      const wide = Buffer.alloc(text.length * unit);
      for (let i = 0; i < text.length; i += 1)
        wide[i * unit + (encoding.endsWith("be") ? unit - 1 : 0)] = text.charCodeAt(i);
      const body = encoding.startsWith("utf-8") ? Buffer.from(`\ufeff${text}`) : wide;
      for (const way of waysToCut(body.length)) expect(scan(body, way).code).to.equal("json_invalid");
    });
  }

  it("finds the first ill-formed sequence as a byte-wise search does", () => {
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.string({ unit: "binary", maxLength: 9 }).map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)) },
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), cutFractions, (pieces, fractions) => {
        const bytes = Buffer.concat(pieces);
        const body = Buffer.concat([
          Buffer.from('"'),
          Buffer.from(bytes.map((b) => (b < 0x80 ? 0x61 : b))),
          Buffer.from('"'),
        ]);
        if (isUtf8(body)) {
          expect(scan(body, cutsOf(body.length, fractions)).output).to.deep.equal(body);
          return;
        }
        let good = 0;
        for (let end = 1; end <= body.length; end += 1) if (isUtf8(body.subarray(0, end))) good = end;
        expect(firstIllFormed(body)).to.equal(good);
        for (const way of [[], everyByte(body.length), cutsOf(body.length, fractions)]) {
          expect(scan(body, way)).to.include({ code: "json_encoding", position: good });
        }
      }),
      { numRuns: 800 },
    );
  });

  it("keeps nothing back of what is whole or hopeless", () => {
    for (const hex of ["61", "c3a9", "e282ac", "f09f9880", "80", "ff", "c0", "61808080"]) {
      const bytes = Buffer.from(hex, "hex");
      expect(wholeSequencesEnd(bytes, bytes.length)).to.equal(bytes.length);
    }
    for (const hex of ["c3", "e2", "e282", "f0", "f09f", "f09f98"]) {
      const bytes = Buffer.from(`61${hex}`, "hex");
      expect(wholeSequencesEnd(bytes, bytes.length)).to.equal(1);
    }
  });
});
