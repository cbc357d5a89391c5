import { expect } from "chai";
import { defaultLimits } from "../../src/base/limits.ts";
import { hasCode, SealwrightError } from "../../src/base/sealwright-error.ts";
import type { JsonGuide, JsonKind, JsonSink, JsonSplicer } from "../../src/codec/json-events.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";
import { capturingSink, cut, deadGuide, enteringSink, liveGuide, scan, waysToCut } from "./scan-rig.ts";

const splicerOf = (guide: JsonGuide, sink: Partial<JsonSink>): JsonSplicer =>
  createJsonSplicer({ guide, sink: { ...enteringSink, ...sink }, limits: defaultLimits });

describe("codec/splicer", () => {
  it("asks the guide for every member and element of live containers and for nothing below dead ones", () => {
    const body = Buffer.from('{"a":[10,{"\\u0062":1}],"dead":{"x":[1]},"é":[[],"s"]}');
    for (const way of waysToCut(body.length)) {
      const asked: string[] = [];
      let states = 1;
      const guide: JsonGuide = {
        root: 1,
        member(state, bytes, start, end, escaped) {
          const name = bytes.toString("utf8", start, end);
          asked.push(`${state} ${name} ${escaped}`);
          return name === "dead" ? 0 : ++states;
        },
        element(state, index) {
          asked.push(`${state} [${index}]`);
          return ++states;
        },
      };
      const splicer = splicerOf(guide, {});
      for (const chunk of cut(body, way)) splicer.push(chunk);
      splicer.end();
      const wanted = ["1 a false", "2 [0]", "2 [1]", "4 \\u0062 true", "1 dead false", "1 é false", "6 [0]", "6 [1]"];
      expect(asked).to.deep.equal(wanted);
    }
  });

  it("walks no inside of what the sink skips, peeks at or captures", () => {
    for (const interest of ["skip", "peek", "capture"] as const) {
      const begun: JsonKind[] = [];
      const splicer = splicerOf(liveGuide, {
        begin(_state, kind) {
          begun.push(kind);
          return kind === "object" ? interest : "enter";
        },
        captured: (_state, _kind, _bytes, slot) => splicer.settle(slot, undefined),
      });
      splicer.push(Buffer.from('[{"a":[1,{"b":2}]},null]'));
      splicer.end();
      expect(begun).to.deep.equal(["array", "object", "null"]);
      expect(Buffer.concat(splicer.take()).toString()).to.equal('[{"a":[1,{"b":2}]},null]');
    }
  });

  it("never calls the sink where the root is dead", () => {
    const never = (): never => expect.fail("called");
    const sink = { begin: never, peeked: never, captured: never, leave: never };
    expect(scan(Buffer.from('{"a":[1,"b",{}]}'), [], { guide: deadGuide, sink }).code).to.equal("accepted");
  });

  it("captures a number at the end of the body when the body ends", () => {
    const body = Buffer.from(" -12.5e3");
    for (const way of waysToCut(body.length)) {
      const seen: string[] = [];
      const splicer = splicerOf(liveGuide, {
        begin: () => "capture",
        captured(_state, _kind, bytes, slot) {
          seen.push(bytes.toString());
          splicer.settle(slot, Buffer.from('"x"'));
        },
      });
      for (const chunk of cut(body, way)) splicer.push(chunk);
      expect(seen).to.be.empty;
      splicer.end();
      expect(seen).to.deep.equal(["-12.5e3"]);
      expect(Buffer.concat(splicer.take()).toString()).to.equal(' "x"');
    }
  });

  it("passes lone surrogate escapes outside captured values and refuses them inside, at their place", () => {
    for (const half of ["\\ud800", "\\uDC00", "\\udBff\\u0041", "\\ud800\\ud800\\udc00", "\\\\\\ud800", "\\ud83d\\n"]) {
      const body = Buffer.from(`["ab${half}"]`);
      expect(scan(body, []).output).to.deep.equal(body);
      const position = 4 + half.indexOf("\\u");
      for (const way of waysToCut(body.length)) {
        const verdict = scan(body, way, { sink: capturingSink });
        expect(verdict).to.include({ code: "lone_surrogate", position });
      }
    }
    for (const name of ['{"\\ud800":1}', '{"a":[{"b":"\\udfff"}]}']) {
      expect(scan(Buffer.from(name), []).code).to.equal("accepted");
      expect(scan(Buffer.from(name), [], { sink: capturingSink }).code).to.equal("lone_surrogate");
    }
    for (const fine of ["\\ud83d\\ude00", "\\\\ud800", "\\uD83D\\uDE00\\ud83d\\ude00", "\\\\\\\\ud800"]) {
      expect(scan(Buffer.from(`"${fine}"`), [], { sink: capturingSink }).code).to.equal("accepted");
    }
  });

  it("keeps trailing white space and refuses a second document", () => {
    const body = Buffer.from("{} \r\n\t ");
    for (const way of waysToCut(body.length)) expect(scan(body, way).output).to.deep.equal(body);
    for (const second of ["{}{}", "1 2", "[] x", "null,", '"a""b"', "{}\0"]) {
      expect(scan(Buffer.from(second), []).code).to.equal("json_invalid");
    }
  });

  it("says where the body stopped making sense", () => {
    const positions = {
      "": 0,
      " \n": 2,
      "[1,]": 3,
      "{'a':1}": 1,
      "[01]": 2,
      "[1.]": 3,
      "[-]": 2,
      "[nulx]": 4,
      '["\t"]': 2,
      "[1": 2,
      '["\\x"]': 3,
      '["\\u00g0"]': 6,
    };
    for (const [text, position] of Object.entries(positions)) {
      const body = Buffer.from(text);
      for (const way of waysToCut(body.length)) expect(scan(body, way)).to.include({ code: "json_invalid", position });
    }
  });

  it("gives a refusal by guide or sink its position, and a foreign error the code internal", () => {
    const refusing = (): never => {
      throw new SealwrightError("mapped_name");
    };
    const broken = (): never => {
      throw new RangeError("broken");
    };
    const body = Buffer.from('[1,{"name":1}]');
    for (const way of waysToCut(body.length)) {
      expect(scan(body, way, { guide: { ...liveGuide, member: refusing } })).to.include({
        code: "mapped_name",
        position: 4,
      });
      expect(scan(body, way, { guide: { ...liveGuide, member: broken } })).to.include({
        code: "internal",
        position: 4,
      });
      const sink = { ...enteringSink, leave: refusing };
      expect(scan(body, way, { sink })).to.include({ code: "mapped_name", position: 12 });
    }
  });

  it("stays failed: nothing more is scanned or given out", () => {
    const splicer = splicerOf(liveGuide, {});
    splicer.push(Buffer.from('{"a":1,'));
    const failed = (step: () => unknown): void => {
      expect(step)
        .to.throw()
        .and.satisfy((error: unknown) => hasCode(error, "json_invalid"));
    };
    failed(() => splicer.push(Buffer.from("}")));
    failed(() => splicer.push(Buffer.from('"b":1}')));
    failed(() => splicer.end());
    failed(() => splicer.take());
  });

  it("lets whole chunks leave without a copy", () => {
    const splicer = splicerOf(deadGuide, {});
    const chunk = Buffer.from('["é",1,2]');
    splicer.push(chunk);
    expect(splicer.take()).to.satisfy(([out]: Buffer[]) => out === chunk);
  });
});
