import { expect } from "chai";
import { readFileSync } from "node:fs";

import { checkFiles, mapWithFields, plainSidecar } from "../rig/check-command.ts";
import { vectorFileOrSkip } from "../rig/vectors.ts";

const goodMap = mapWithFields(["{ name: ssn, path: $.ssn }"]);

/** A bomb of nine levels, each ten times the one before. */
const aliasBomb = Array.from({ length: 9 }, (_, level) => {
  const items = level === 0 ? "x" : `*a${level - 1}`;
  return `a${level}: &a${level} [${Array.from({ length: 10 }, () => items).join(", ")}]`;
}).join("\n");

describe("Q: configuration", function () {
  this.timeout(20_000);

  it("Q-01 the files these cases start from are good", async () => {
    const { code, output } = await checkFiles(plainSidecar, goodMap);
    expect(code, output).to.equal(0);
  });

  const hostile: Readonly<Record<string, { readonly text: string; readonly line: number }>> = {
    "an unknown key": { text: plainSidecar.replace("kind: Sidecar", "kind: Sidecar\nunmatched: passthrough"), line: 3 },
    "a duplicate key": { text: plainSidecar.replace("kind: Sidecar", "kind: Sidecar\nkind: Sidecar"), line: 3 },
    "a tab": { text: plainSidecar.replace("  - name: store", "\t- name: store"), line: 7 },
    "an alias bomb": { text: `${plainSidecar}${aliasBomb}\n`, line: 12 },
    "a tag that makes code": {
      text: plainSidecar.replace("[map.yaml]", "!!js/function 'function () { process.exit(7) }'"),
      line: 5,
    },
    "a merge key": {
      text: plainSidecar.replace("kind: Sidecar", "kind: Sidecar\n<<: { admin: { listen: 0.0.0.0:1 } }"),
      line: 3,
    },
    "yes for a name": { text: plainSidecar.replace("[map.yaml]", "[yes, no, on, off, null, 1e3]"), line: 5 },
    "a number for a string": { text: plainSidecar.replace('"http://127.0.0.1:8082"', "1e3"), line: 10 },
  };
  for (const [what, { text, line }] of Object.entries(hostile)) {
    it(`Q-01 ${what} is refused at its line`, async () => {
      const { code, problems, output } = await checkFiles(text, goodMap);
      expect(code, output).to.equal(1);
      expect(problems.map((problem) => problem.line)).to.include(line);
      expect(problems.every((problem) => problem.rule !== "")).to.be.true;
    });
  }

  it("Q-01 a file of 100 MiB is refused without being read", async () => {
    const started = performance.now();
    const { code, output } = await checkFiles(plainSidecar, Buffer.alloc(100 * 1024 * 1024, "# padding\n"));
    expect(code).to.equal(1);
    expect(output).to.include("map.yaml");
    expect(performance.now() - started, "ms").to.be.below(8_000);
  });

  it("Q-02 overlapping paths are refused at their lines", async () => {
    const fields = [
      "{ name: parent, path: $.a }",
      "{ name: child, path: $.a.b, mode: deterministic }",
      '{ name: any, path: "$.c[*]" }',
      '{ name: first, path: "$.c[0]", mode: deterministic }',
    ];
    const { code, problems, output } = await checkFiles(plainSidecar, mapWithFields(fields));
    expect(code, output).to.equal(1);
    const lines = problems.filter((problem) => problem.file === "map.yaml").map((problem) => problem.line);
    expect(
      lines.some((line) => line === 6 || line === 7),
      output,
    ).to.be.true;
    expect(
      lines.some((line) => line === 8 || line === 9),
      output,
    ).to.be.true;
  });

  const secrets: Readonly<Record<string, string>> = {
    "a private key": plainSidecar.replace(
      "kek.json",
      '"-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2Vw\\n-----END PRIVATE KEY-----"',
    ),
    "an AWS key": plainSidecar.replace("kek.json", "AKIAIOSFODNN7EXAMPLE"),
    "a key in hex": plainSidecar.replace("keyFile: kek.json", `keyFile: kek.json, key: "${"0f".repeat(32)}"`),
    "a password in a URL": plainSidecar.replace("http://127.0.0.1", "http://user:hunter2-secret@127.0.0.1"),
  };
  for (const [what, text] of Object.entries(secrets)) {
    it(`Q-05 ${what} in the file is refused, and not repeated`, async () => {
      const { code, problems, output } = await checkFiles(text, goodMap);
      expect(code, output).to.equal(1);
      expect(problems).to.not.be.empty;
      expect(output).to.not.match(/MC4CAQAwBQYDK2Vw|AKIAIOSFODNN7|0f0f0f0f|hunter2/u);
    });
  }

  it("A-14 every invalid selector of the JSONPath test suite is refused where it stands", async function () {
    const suite = JSON.parse(readFileSync(vectorFileOrSkip(this, "jsonpath-cts/cts.json"), "utf8")) as {
      readonly tests: readonly { readonly selector: string; readonly invalid_selector?: boolean }[];
    };
    const invalid = suite.tests.filter((test) => test.invalid_selector === true).map((test) => test.selector);
    expect(invalid).to.have.length(247);
    // JSON strings are YAML too, once what YAML refuses in any string is written as an escape.
    const quoted = (text: string): string =>
      JSON.stringify(text).replace(
        /[\u007f-\uffff]/gu,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    const fields = invalid.map((selector, index) => `{ name: f${index}, path: ${quoted(selector)} }`);
    const { code, problems } = await checkFiles(plainSidecar, mapWithFields(fields));
    expect(code).to.equal(1);
    const lines = new Set(problems.filter((problem) => problem.file === "map.yaml").map((problem) => problem.line));
    expect(invalid.filter((_, index) => !lines.has(6 + index))).to.deep.equal([]);
  });
});
