import { expect } from "chai";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { uncovered } from "./coverage.ts";
import { abuseIds } from "./ids.ts";

const project = resolve(import.meta.dirname, "../..");

/** Ids at the start of test titles, from the sources, so that tests of another run count too. */
function titledIds(): Set<string> {
  const files = ["test/abuse", "test/real"].flatMap((folder) =>
    readdirSync(join(project, folder))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => join(project, folder, name)),
  );
  return new Set(
    files.flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/["`]([A-Z]-\d\d) /gu)].map((match) => match[1] ?? ""),
    ),
  );
}

describe("abuse list", () => {
  const titled = titledIds();

  it("has a test or a reason for every id", () => {
    const listed = new Set(uncovered.map((row) => row.id));
    expect(abuseIds.filter((id) => !titled.has(id) && !listed.has(id))).to.deep.equal([]);
  });

  it("names no id that the list does not have", () => {
    const known = new Set(abuseIds);
    expect([...titled, ...uncovered.map((row) => row.id)].filter((id) => !known.has(id))).to.deep.equal([]);
  });

  it("gives no reason for a case that is tested whole", () => {
    expect(uncovered.filter((row) => row.part === undefined && titled.has(row.id))).to.deep.equal([]);
    expect(uncovered.filter((row) => row.part !== undefined && !titled.has(row.id))).to.deep.equal([]);
  });

  it("names only proofs that exist", () => {
    const proofs = uncovered.flatMap((row) => row.provenBy ?? []);
    expect(proofs.filter((path) => !existsSync(join(project, path)))).to.deep.equal([]);
  });
});
