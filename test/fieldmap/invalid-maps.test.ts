import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readYaml } from "../../src/base/yaml/yaml-source.ts";
import { schemaRules, yamlRules } from "../../src/base/yaml/yaml-rules.ts";
import { loadFieldMap } from "../../src/fieldmap/load-field-map.ts";
import { mapRules } from "../../src/fieldmap/map-rules.ts";

const folder = resolve(import.meta.dirname, "../../config/invalid/fieldmap");

/** Files cannot show these: one would be a megabyte long, the other no text. `test/base/yaml-source.test.ts` has both. */
const notFixtures = new Set(["yaml-too-large", "yaml-encoding"]);

describe("invalid field maps", () => {
  const files = readdirSync(folder);

  it("are there, one for each rule", () => {
    const rules = [...Object.keys(yamlRules), ...Object.keys(schemaRules), ...Object.keys(mapRules)];
    const expected = rules.filter((rule) => !notFixtures.has(rule)).map((rule) => `${rule}.yaml`);
    expect(files).to.have.members(expected);
  });

  for (const file of files) {
    it(`are refused: ${file}`, () => {
      const path = join(folder, file);
      const text = readFileSync(path, "utf8");
      const { map, problems, warnings } = loadFieldMap({ path, text });
      const head = /^# ([0-9]+):([0-9]+) (\S+)\n/.exec(text);
      expect(problems.map(({ line, column, rule }) => `${line}:${column} ${rule}`)).to.deep.equal([
        `${head?.[1] ?? ""}:${head?.[2] ?? ""} ${head?.[3] ?? ""}`,
      ]);
      expect(`${head?.[3] ?? ""}.yaml`).to.equal(file);
      expect(map).to.equal(undefined);
      expect(warnings).to.deep.equal([]);
      for (const problem of problems) {
        expect(problem.file).to.equal(path);
        expect(problem.message).to.match(/\.$/);
        expect(problem.fix).to.match(/[.?]$/);
      }
    });
  }

  it("break no other rule by the way: each is sound YAML but for its own fault", () => {
    for (const file of files.filter((name) => !name.startsWith("yaml-"))) {
      const path = join(folder, file);
      expect(readYaml({ path, text: readFileSync(path, "utf8") }).problems, file).to.deep.equal([]);
    }
  });
});
