import { resolve } from "node:path";
import { expect } from "chai";
import { checkHouse, staleRows } from "./layer-check.ts";
import { layerTable } from "./layer-table.ts";
import { readSourceTree, type SourceFile } from "./source-tree.ts";

const source = readSourceTree(resolve(import.meta.dirname, "../../src"));
const rulesOf = (...files: readonly SourceFile[]): readonly string[] => checkHouse(files).map(({ rule }) => rule);

describe("layers", () => {
  it("has files in every layer of the table", () => {
    const found = new Set(source.map(({ path }) => path.split("/", 1)[0]));
    expect([...found].sort()).to.deep.equal(Object.keys(layerTable).sort());
  });

  it("finds nothing wrong in the sources", () => {
    expect(checkHouse(source)).to.deep.equal([]);
  });

  it("lists no crypto user that is none", () => {
    expect(staleRows(source)).to.deep.equal([]);
  });

  it("lets no row of the table point up", () => {
    const order = Object.keys(layerTable);
    const upward = Object.entries(layerTable).flatMap(([layer, { mayImport }]) =>
      mayImport.filter((other) => order.indexOf(other) >= order.indexOf(layer)),
    );
    expect(upward).to.deep.equal([]);
  });
});

describe("layers, on planted violations", () => {
  const planted: Readonly<
    Record<string, { readonly files: readonly SourceFile[]; readonly rules: readonly string[] }>
  > = {
    "an upward import": {
      files: [{ path: "base/clock.ts", text: 'import { x } from "../app/x.ts";' }],
      rules: ["edge"],
    },
    "a sideways import of a type": {
      files: [{ path: "codec/scan.ts", text: 'import type { Route } from "../fieldmap/types.ts";' }],
      rules: ["edge"],
    },
    "an upward dynamic import": {
      files: [{ path: "proxy/late.ts", text: 'const late = await import("../ops/log.ts");' }],
      rules: ["edge"],
    },
    "an upward re-export": {
      files: [{ path: "keys/again.ts", text: 'export * from "../engine/engine.ts";' }],
      rules: ["edge"],
    },
    "an import that leaves the tree": {
      files: [{ path: "base/x.ts", text: 'import "../rig/vectors.ts";' }],
      rules: ["edge"],
    },
    "a cycle of types": {
      files: [
        { path: "base/a.ts", text: 'import type { B } from "./b.ts"; export type A = B;' },
        { path: "base/b.ts", text: 'import type { A } from "./a.ts"; export type B = A;' },
      ],
      rules: ["cycle"],
    },
    "a file of 401 lines": { files: [{ path: "base/long.ts", text: "//\n".repeat(401) }], rules: ["long-file"] },
    "node:crypto in the engine": {
      files: [{ path: "engine/hash.ts", text: 'import { createHash } from "node:crypto";' }],
      rules: ["node-crypto"],
    },
    "the global crypto in the engine": {
      files: [{ path: "engine/id.ts", text: "export const id = crypto.randomUUID();" }],
      rules: ["node-crypto"],
    },
    "file access in crypto": { files: [{ path: "crypto/io.ts", text: 'import "node:fs";' }], rules: ["builtin"] },
    "a name that says nothing": {
      files: [
        { path: "base/utils.ts", text: "" },
        { path: "proxy/helpers/tls.ts", text: "" },
      ],
      rules: ["empty-name", "empty-name"],
    },
    "a folder that is no layer": { files: [{ path: "extra/thing.ts", text: "" }], rules: ["layer"] },
  };

  for (const [title, { files, rules }] of Object.entries(planted)) {
    it(`catches ${title}`, () => expect(rulesOf(...files)).to.deep.equal(rules));
  }

  it("passes a sound tree", () => {
    const sound = [
      { path: "base/clock.ts", text: "export interface Clock {}" },
      { path: "keys/cache.ts", text: 'import type { Clock } from "../base/clock.ts"; import "../crypto/suite.ts";' },
      { path: "crypto/suite.ts", text: 'import { createCipheriv } from "node:crypto";' },
    ];
    expect(rulesOf(...sound)).to.deep.equal([]);
  });
});
