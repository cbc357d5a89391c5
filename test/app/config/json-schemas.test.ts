import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { schemaFiles } from "../../../src/app/config/json-schemas.ts";

describe("JSON schemas", () => {
  for (const { path, text } of schemaFiles()) {
    it(`${path} is what npm run schemas writes`, () => {
      expect(readFileSync(resolve(import.meta.dirname, "../../..", path), "utf8")).to.equal(text);
    });
  }
});
