import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { errorTable } from "../../src/base/error-table.ts";
import { readSourceTree } from "./source-tree.ts";

const project = resolve(import.meta.dirname, "../..");
const table = "base/error-table.ts";
const source = readSourceTree(resolve(project, "src"));
const codes = Object.keys(errorTable);

/** The sources without comments and without the table: what is left of a code there is a use of it. */
const product = source
  .filter(({ path }) => path !== table)
  .map(({ text }) => text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ""))
  .join("\n");

describe("error table", () => {
  it("has no code that nothing throws", () => {
    expect(codes.filter((code) => !product.includes(`"${code}"`))).to.deep.equal([]);
  });

  it("names every code once", () => {
    const text = source.find(({ path }) => path === table)?.text ?? "";
    const rows = [...text.matchAll(/^ {2}([a-z_]+): row\(/gm)].map((match) => match[1]);
    expect(rows).to.deep.equal(codes);
    expect(new Set(rows).size).to.equal(rows.length);
  });

  it("documents every code", () => {
    const page = readFileSync(resolve(project, "docs/errors.md"), "utf8");
    expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).to.deep.equal([]);
  });

  it("gives every row a status, a text and an advice that read as sentences", () => {
    const odd = Object.entries(errorTable).filter(
      ([code, row]) =>
        !/^[a-z][a-z_]*$/.test(code) ||
        row.status < 400 ||
        row.status > 599 ||
        !/^[A-Z].*\.$/.test(row.text) ||
        !/^[A-Z].*[^ ]$/.test(row.advice),
    );
    expect(odd).to.deep.equal([]);
  });

  it("gives different failures different texts", () => {
    const texts = Object.values(errorTable).map(({ text }) => text);
    expect(new Set(texts).size).to.equal(texts.length);
  });

  it("calls nothing retryable that the request itself must change", () => {
    const retryable = Object.entries(errorTable).filter(([, row]) => row.retryable && row.status < 500);
    expect(retryable.map(([code]) => code)).to.deep.equal(["tenant_limit", "request_timeout"]);
  });

  it("throws no plain Error in the product", () => {
    expect(source.flatMap(plainThrows)).to.deep.equal([]);
  });
});

function plainThrows({ path, text }: { readonly path: string; readonly text: string }): readonly string[] {
  return [...text.matchAll(/throw new (\w*Error)\(/g)]
    .filter((match) => match[1] !== "SealwrightError")
    .map((match) => `${path}: ${match[0]}`);
}
