import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect } from "chai";
import { ConfigProblems } from "../../../src/app/config/config-problems.ts";
import { loadSidecar } from "../../../src/app/config/load-sidecar.ts";
import { sidecarRules } from "../../../src/app/config/rule-table.ts";

const project = resolve(import.meta.dirname, "../../..");
const folder = relative(process.cwd(), join(project, "config/invalid/sidecar"));
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.replace(/\.yaml$/, ""));

/** What a load refuses, as `rule@line:column`. */
function refusals(path: string): readonly string[] {
  try {
    loadSidecar(path, { files: "noted" });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return error.problems.map(({ rule, line, column }) => `${rule}@${line}:${column}`);
  }
}

describe("sidecar files that break one rule", () => {
  before(() => {
    // Version control keeps no modes.
    chmodSync(join(folder, "key-file-mode.key"), 0o644);
  });

  it("has one for every rule of the table", () => {
    expect(Object.keys(sidecarRules).filter((rule) => !names.includes(rule))).to.deep.equal([]);
  });

  for (const name of names) {
    it(`refuses ${name} at its line and column, and nothing else`, () => {
      const path = join(folder, `${name}.yaml`);
      const place = /^# refused at (\d+:\d+)\n/.exec(readFileSync(path, "utf8"))?.[1];
      expect(refusals(path)).to.deep.equal([`${name}@${place ?? "nowhere"}`]);
    });
  }
});
