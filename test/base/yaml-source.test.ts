import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readConfigFile } from "../../src/base/yaml/config-file.ts";
import { editDistance, suggestion } from "../../src/base/yaml/suggestion.ts";
import { readYaml } from "../../src/base/yaml/yaml-source.ts";
import { checkShape } from "../../src/base/yaml/zod-problems.ts";
import { hasCode } from "../../src/base/sealwright-error.ts";

const read = (text: string) => readYaml({ path: "f.yaml", text });
const found = (text: string): string[] =>
  read(text).problems.map(({ line, column, rule }) => `${line}:${column} ${rule}`);

describe("Q-01: reading YAML", () => {
  const refusals: readonly (readonly [string, string, readonly string[]])[] = [
    ["anchors and aliases", "a: &x 1\nb: *x\n", ["1:4 yaml-anchor", "2:4 yaml-alias"]],
    ["an alias as key", "a: &x k\n*x : 1\n", ["1:4 yaml-anchor", "2:1 yaml-alias"]],
    ["merge keys", "a: 1\n<<: { b: 2 }\n", ["2:1 yaml-merge-key"]],
    ["tags that name code", "a: !!js/function 'function () {}'\n", ["1:4 yaml-tag"]],
    ["harmless tags too", "a: !!str x\nb: !x y\n", ["1:4 yaml-tag", "2:4 yaml-tag"]],
    ["directives", "%YAML 1.1\n---\na: x\n", ["1:1 yaml-directive"]],
    ["tabs", "a:\tx\n", ["1:3 yaml-tab"]],
    ["tabs in comments and text", "a: x #\t\nb: 'x\ty'\n", ["1:7 yaml-tab", "2:6 yaml-tab"]],
    ["control characters", "a: x\u0085y\n", ["1:5 yaml-control-character"]],
    ["duplicate keys", "a: 1\nb: { c: 1, c: 2 }\na: 2\n", ["2:12 yaml-duplicate-key", "3:1 yaml-duplicate-key"]],
    ["duplicate keys in two spellings", "a: 1\n'a': 2\n", ["2:1 yaml-duplicate-key"]],
    ["several documents", "a: 1\n---\nb: 2\n", ["2:1 yaml-documents"]],
    ["an empty file", "# nothing\n", ["1:1 yaml-empty"]],
    ["malformed YAML", "a: [1, 2\nb: 3\n", ["2:1 yaml-syntax"]],
    ["keys that are no text", "? [a]\n: 1\n", ["1:3 yaml-syntax"]],
    [
      "values that are absent",
      "a:\nb: null\nc: ~\nd: [1, ]\ne:\n  -\n",
      ["1:3 yaml-null", "2:4 yaml-null", "3:4 yaml-null", "6:4 yaml-null"],
    ],
  ];
  for (const [what, text, expected] of refusals) {
    it(`refuses ${what}`, () => expect(found(text).slice(0, expected.length)).to.deep.equal(expected));
  }

  const words =
    "yes Yes NO on OFF y N True FALSE NULL 1e3 1E3 +1 01 0x1F 0o17 0b1 1_000 .5 1. .inf -.Inf .nan 12:30 12345678901234567890";
  for (const word of words.split(" ")) {
    it(`refuses the plain word ${word}, which YAML readers disagree on, and takes it in quotes`, () => {
      expect(found(`a: ${word}\n`)).to.deep.equal([word === "NULL" ? "1:4 yaml-null" : "1:4 yaml-scalar"]);
      const quoted = read(`a: "${word}"\n`);
      expect(quoted.problems).to.deep.equal([]);
      expect(quoted.value).to.deep.equal(Object.assign(Object.create(null), { a: word }));
    });
  }

  for (const word of "3d 0B 7d 12e 1f0 0d 90d 64KiB 5b 0x 1e5d".split(" ")) {
    it(`takes the plain word ${word} for text, as every YAML reader does`, () => {
      expect(found(`a: ${word}\n`)).to.deep.equal([]);
      expect((read(`a: ${word}\n`).value as { a: unknown }).a).to.equal(word);
    });
  }

  it("takes plain text, numbers and truth values for what they are", () => {
    const { value, problems } = read("a: [true, false, 0, -1, 1.5, 1.0.0, /v1/x, 127.0.0.1:80, 'x', \"\\u0041\"]\n");
    expect(problems).to.deep.equal([]);
    expect((value as { a: unknown[] }).a).to.deep.equal([
      true,
      false,
      0,
      -1,
      1.5,
      "1.0.0",
      "/v1/x",
      "127.0.0.1:80",
      "x",
      "A",
    ]);
  });

  it("refuses a bomb of aliases without following one", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i += 1)
      lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(", ")}]`);
    const before = process.memoryUsage().heapUsed;
    const { problems } = read(lines.join("\n"));
    expect(problems.every(({ rule }) => rule === "yaml-anchor" || rule === "yaml-alias")).to.equal(true);
    expect(problems.length).to.be.greaterThan(100);
    expect(process.memoryUsage().heapUsed - before).to.be.lessThan(64 * 1024 * 1024);
  });

  for (const [what, text] of [
    ["in brackets", `a: ${"[".repeat(1000)}`],
    ["in brackets that close", `a: ${"[".repeat(1000)}${"]".repeat(1000)}`],
    ["in dashes", `${"- ".repeat(2000)}x`],
    ["in keys", Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
  ] as const) {
    it(`refuses deep nesting ${what}`, () => expect(found(text).join()).to.include("yaml-too-deep"));
  }

  it("reads a megabyte of keys in linear time and refuses one byte more", () => {
    const megabyte = `${Array.from({ length: 40_000 }, (_, i) => `key${i}: ${"v".repeat(12)}`).join("\n")}\n`.padEnd(
      1024 * 1024,
      "#",
    );
    expect(megabyte.length).to.equal(1024 * 1024);
    expect(found(megabyte)).to.deep.equal([]);
    expect(found(`${megabyte}#`)).to.deep.equal(["1:1 yaml-too-large"]);
  });

  it("keeps __proto__ a plain key", () => {
    const { value } = read("__proto__: { polluted: true }\n");
    expect(Object.keys(value as object)).to.deep.equal(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).to.equal(undefined);
    const { problems } = checkShape(read("__proto__: { a: x }\n"), z.strictObject({}));
    expect(problems.map(({ rule }) => rule)).to.deep.equal(["unknown-setting"]);
  });
});

describe("reading a configuration file", () => {
  const folder = mkdtempSync(join(tmpdir(), "sealwright-config-"));
  after(() => rmSync(folder, { recursive: true }));

  it("refuses 100 MiB by its size, unread", () => {
    const path = join(folder, "big.yaml");
    writeFileSync(path, Buffer.alloc(100 * 1024 * 1024, 0x23));
    const before = process.memoryUsage().external;
    const { file, problems } = readConfigFile(path);
    expect(file).to.equal(undefined);
    expect(problems.map(({ rule }) => rule)).to.deep.equal(["yaml-too-large"]);
    expect(process.memoryUsage().external - before).to.be.lessThan(1024 * 1024);
  });

  it("refuses a device that never ends, which has no size", () => {
    expect(readConfigFile("/dev/zero").problems.map(({ rule }) => rule)).to.deep.equal(["yaml-too-large"]);
  });

  it("refuses bytes that are not UTF-8", () => {
    const path = join(folder, "latin.yaml");
    writeFileSync(path, Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]));
    expect(readConfigFile(path).problems.map(({ rule }) => rule)).to.deep.equal(["yaml-encoding"]);
  });

  it("says which file cannot be read", () => {
    expect(() => readConfigFile(join(folder, "absent.yaml"))).to.satisfy((task: () => void) => {
      try {
        task();
        return false;
      } catch (error) {
        return hasCode(error, "file_unreadable") && error.facts.file === join(folder, "absent.yaml");
      }
    });
  });
});

describe("a file against its schema", () => {
  const schema = z.strictObject({
    name: z.string(),
    level: z.enum(["low", "high"]).default("low"),
    port: z.int().min(1).max(9).optional(),
    who: z.union([z.strictObject({ header: z.string() }), z.strictObject({ constant: z.string() })]).optional(),
    list: z.array(z.strictObject({ path: z.string() })).optional(),
  });
  const check = (text: string): string[] =>
    checkShape(read(text), schema).problems.map(
      ({ line, column, rule, fix }) => `${line}:${column} ${rule}${fix.startsWith("Did") ? ` ${fix}` : ""}`,
    );

  it("tells every problem at once, each at its place", () => {
    expect(check("nam: x\nlevel: hihg\nport: 10\nlist:\n  - { pth: x }\n  - 7\n")).to.have.members([
      "1:1 missing-setting",
      "1:1 unknown-setting Did you mean name?",
      "2:8 unknown-value Did you mean high?",
      "3:7 out-of-range",
      "5:5 missing-setting",
      "5:7 unknown-setting Did you mean path?",
      "6:5 wrong-type",
    ]);
  });

  it("coerces nothing", () => {
    expect(check("name: 5\nport: '5'\n")).to.deep.equal(["1:7 wrong-type", "2:7 wrong-type"]);
  });

  it("does not repeat what the reader has refused", () => {
    expect(check("name: yes\nport: 1e0\n")).to.deep.equal([]);
  });

  it("chooses among shapes by what the file comes nearest to", () => {
    expect(check("name: x\nwho: { hedaer: x }\n")).to.deep.equal(["2:8 unknown-setting Did you mean header?"]);
    expect(check("name: x\nwho: { header: 5 }\n")).to.deep.equal(["2:16 wrong-type"]);
    expect(check("name: x\nwho: { header: x, constant: z }\n")).to.deep.equal(["2:6 wrong-form"]);
    expect(check("name: x\nwho: x\n")).to.deep.equal(["2:6 wrong-type"]);
  });
});

describe("suggestions", () => {
  it("count insertions, deletions, replacements and swaps", () => {
    expect([
      editDistance("abc", "abc"),
      editDistance("abc", "acb"),
      editDistance("abc", ""),
      editDistance("kitten", "sitting"),
    ]).to.deep.equal([0, 1, 3, 3]);
  });

  it("are made only for what is near", () => {
    expect(suggestion("feilds", ["fields", "routes"])).to.equal("fields");
    expect(suggestion("observe", ["fields", "routes"])).to.equal(undefined);
    expect(suggestion("x".repeat(100_000), ["fields"])).to.equal(undefined);
  });
});
