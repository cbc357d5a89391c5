import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { decodeJsonString } from "../../src/codec/decode-string.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { vectorFileOrSkip } from "../rig/vectors.ts";
import { allValues, readJson } from "./reference-reader.ts";
import { capturingSink, deadGuide, enteringSink, everyByte, everyStep, liveGuide, scan } from "./scan-rig.ts";

const largeFiles = {
  "simdjson-examples/jsonexamples/twitter.json": 631_515,
  "simdjson-examples/jsonexamples/citm_catalog.json": 1_727_204,
  "nativejson/data/canada.json": 2_251_051,
};

describe("codec/corpora", () => {
  for (const [file, bytes] of Object.entries(largeFiles)) {
    it(`${file} passes byte for byte, live, dead and captured whole, at several chunk sizes`, function () {
      const body = readFileSync(vectorFileOrSkip(this, file));
      expect(body).to.have.lengthOf(bytes);
      for (const step of [body.length, 65_536, 1013]) {
        const cuts = everyStep(body.length, step);
        for (const setup of [{}, { guide: deadGuide }, { sink: capturingSink }]) {
          expect(scan(body, cuts, setup).output?.equals(body)).to.be.true;
        }
      }
    });
  }

  it("twitter.json: every value is heard where an independent reader finds it", function () {
    const body = readFileSync(vectorFileOrSkip(this, "simdjson-examples/jsonexamples/twitter.json"));
    const heard: string[] = [];
    const sink = {
      ...enteringSink,
      begin: (_state: number, kind: string, offset: number) => (heard.push(`${kind} ${offset}`), "enter" as const),
    };
    expect(scan(body, everyStep(body.length, 4099), { sink }).code).to.equal("accepted");
    expect(heard).to.deep.equal([...allValues(readJson(body))].map(({ kind, start }) => `${kind} ${start}`));
  });

  it("nativejson round trips: every file passes byte for byte, cut into bytes", function () {
    const folder = vectorFileOrSkip(this, "nativejson/data/roundtrip");
    const files = readdirSync(folder);
    expect(files).to.have.lengthOf(27);
    for (const file of files) {
      const body = readFileSync(join(folder, file));
      expect(scan(body, everyByte(body.length)).output).to.deep.equal(body);
    }
  });

  it("amazon_cellphones.ndjson: every line passes, the file as a whole is no one document", function () {
    const file = readFileSync(vectorFileOrSkip(this, "simdjson-examples/jsonexamples/amazon_cellphones.ndjson"));
    expect(scan(file, []).code).to.equal("json_invalid");
    const lines = file.toString().trim().split("\n");
    expect(lines.length).to.be.above(700);
    for (const line of lines) expect(scan(Buffer.from(line), []).output?.toString()).to.equal(line);
  });

  it("naughty strings are captured, decoded and put back, as names and as values", function () {
    const strings = JSON.parse(readFileSync(vectorFileOrSkip(this, "naughty-strings/blns.json"), "utf8")) as string[];
    expect(strings).to.have.lengthOf(515);
    const distinct = [...new Set(strings)];
    const body = Buffer.from(JSON.stringify(Object.fromEntries(distinct.map((text) => [`_${text}`, text]))));
    for (const step of [1, 7, 65_536]) {
      const decoded: string[] = [];
      const splicer = createJsonSplicer({
        guide: liveGuide,
        limits: defaultLimits,
        sink: {
          ...enteringSink,
          begin: (_state, kind) => (kind === "string" ? "capture" : "enter"),
          captured(_state, _kind, bytes, slot) {
            decoded.push(decodeJsonString(bytes));
            splicer.settle(slot, Buffer.from(bytes));
          },
        },
      });
      const output: Buffer[] = [];
      for (let at = 0; at < body.length; at += step) {
        splicer.push(body.subarray(at, at + step));
        output.push(...splicer.take());
      }
      splicer.end();
      output.push(...splicer.take());
      expect(decoded).to.deep.equal(distinct);
      expect(Buffer.concat(output).equals(body)).to.be.true;
    }
  });
});
