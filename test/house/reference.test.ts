import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { referencePages } from "./reference.ts";

describe("reference pages", () => {
  for (const { path, text } of referencePages) {
    it(`${path} is what npm run docs makes`, () => {
      expect(readFileSync(resolve(import.meta.dirname, "../..", path), "utf8")).to.equal(text);
    });
  }
});
