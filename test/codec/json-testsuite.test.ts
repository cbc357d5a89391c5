import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { vectorFile, vectorFileOrSkip } from "../rig/vectors.ts";
import { duplicateNameFiles, iVerdicts } from "./i-verdicts.ts";
import { capturingSink, deadGuide, scan, waysToCut, type ScanSetup, type Verdict } from "./scan-rig.ts";

const capturing: ScanSetup = { sink: capturingSink };
const dead: ScanSetup = { guide: deadGuide };
/** Longer files are cut at this many places instead of all. */
const mostCuts = 400;

interface SuiteFile {
  readonly name: string;
  readonly body: Buffer;
}

function filesOf(folder: string): SuiteFile[] {
  const path = vectorFile(`json-testsuite/${folder}`);
  if (path === undefined) return [];
  return readdirSync(path).map((name) => ({ name, body: readFileSync(join(path, name)) }));
}

/** The verdict on `body`, once it has been found equal for every way of cutting it. */
function steadyVerdict(body: Buffer, setup: ScanSetup = {}): Verdict {
  const whole = scan(body, [], setup);
  const cuts = body.length > 10_000 ? 20 : mostCuts;
  for (const way of waysToCut(body.length, cuts))
    expect(scan(body, way, setup), `cut at ${way.join()}`).to.deep.equal(whole);
  return whole;
}

describe("codec/JSONTestSuite", () => {
  const parsing = filesOf("test_parsing");

  it("has all 318 parsing and 22 transform files", function () {
    vectorFileOrSkip(this, "json-testsuite");
    expect(parsing).to.have.lengthOf(318);
    expect(filesOf("test_transform")).to.have.lengthOf(22);
    const undecided = parsing.filter(({ name }) => name.startsWith("i_")).map(({ name }) => name);
    expect(undecided.sort()).to.deep.equal(Object.keys(iVerdicts).sort());
  });

  for (const { name, body } of parsing) {
    it(`${name}: one verdict live, dead and captured, cut anywhere`, () => {
      const verdict = steadyVerdict(body);
      expect(steadyVerdict(body, dead)).to.deep.equal(verdict);
      if (duplicateNameFiles.includes(name)) expect(verdict.code).to.equal("duplicate_key");
      else if (name.startsWith("y_")) expect(verdict.output).to.deep.equal(body);
      else if (name.startsWith("n_"))
        expect(verdict.code).to.be.oneOf(["json_invalid", "json_encoding", "json_too_deep"]);
      else expect(verdict.code).to.equal(iVerdicts[name]?.verdict);
      const captured = steadyVerdict(body, capturing);
      expect(captured.code).to.be.oneOf([verdict.code, "lone_surrogate"]);
    });

    it(`${name}: the same verdict inside another document`, () => {
      const inner = scan(body, []);
      const outer = scan(Buffer.concat([Buffer.from('{"x":'), body, Buffer.from(',"ssn":"CANARY"}')]), []);
      expect(outer.code === "accepted").to.equal(inner.code === "accepted");
    });
  }

  for (const { name, body } of filesOf("test_transform")) {
    it(`transform ${name}: passes byte for byte, or is refused for its encoding or a name held twice`, () => {
      const verdict = steadyVerdict(body);
      const refused = /^object_same_key|^string_\d_invalid/.test(name);
      expect(verdict.code === "accepted").to.equal(!refused);
      if (!refused) expect(verdict.output).to.deep.equal(body);
      else expect(verdict.code).to.equal(name.startsWith("object_same_key") ? "duplicate_key" : "json_encoding");
    });
  }
});
