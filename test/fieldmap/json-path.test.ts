import { expect } from "chai";
import { readFileSync } from "node:fs";
import { compilePlan } from "../../src/fieldmap/document-plan.ts";
import { isSingular, lastName, normalisedPath } from "../../src/fieldmap/json-path.ts";
import { locateValues } from "../../src/fieldmap/locate-values.ts";
import { loadFieldMap } from "../../src/fieldmap/load-field-map.ts";
import { parsePath } from "../../src/fieldmap/parse-path.ts";
import { requireVectors, vectorFile } from "../rig/vectors.ts";
import { fieldMapText, path } from "./map-text.ts";

const broken = (text: string): string => {
  const parsed = parsePath(text);
  return parsed.kind === "path" ? "fine" : `${parsed.broken.rule} at ${parsed.character}`;
};

describe("paths", () => {
  it("read both notations as one", () => {
    for (const text of ["$.a.b", "$['a']['b']", '$["a"].b', "$ [ 'a' ]\n.b", "$['\\u0061'].b"]) {
      expect(normalisedPath(path(text).segments), text).to.equal("$['a']['b']");
    }
  });

  it("have one normalised spelling", () => {
    const spellings: readonly (readonly [string, string])[] = [
      ["$", "$"],
      ["$.contacts[*].phone", "$['contacts'][*]['phone']"],
      ["$.contacts.*.phone", "$['contacts'][*]['phone']"],
      ["$..ssn", "$..['ssn']"],
      ["$..*", "$..[*]"],
      ["$..[0]", "$..[0]"],
      ["$.a..b[2]", "$['a']..['b'][2]"],
      [`$["it's"]["\\""]["\\\\"]`, `$['it\\'s']['"']['\\\\']`],
      [`$["\\b\\t\\n\\f\\r\\u0000\\u001f"]`, `$['\\b\\t\\n\\f\\r\\u0000\\u001f']`],
      ["$.größe", "$['größe']"],
      ['$["\\ud834\\udd1e"]', "$['𝄞']"],
    ];
    for (const [text, normalised] of spellings) expect(normalisedPath(path(text).segments), text).to.equal(normalised);
  });

  it("normalise to what reads back as the same path", () => {
    for (const text of [`$["it's\\u0007\\\\"]..*[3]`, "$.größe..a"]) {
      const once = normalisedPath(path(text).segments);
      expect(normalisedPath(path(once).segments)).to.equal(once);
    }
  });

  it("say where they break", () => {
    expect(broken("a.b")).to.equal("path-syntax at 0");
    expect(broken("$.a[")).to.equal("path-syntax at 4");
    expect(broken("$.a b")).to.equal("path-syntax at 4");
    expect(broken("$.a ")).to.equal("path-syntax at 3");
    expect(broken("$.a[?@.b]")).to.equal("path-unsupported at 4");
    expect(broken("$.a[0,1]")).to.equal("path-unsupported at 5");
    expect(broken("$.a[1:2]")).to.equal("path-unsupported at 5");
    expect(broken("$.a[-1]")).to.equal("path-unsupported at 4");
    expect(broken("$['\\ud800']")).to.equal("path-syntax at 3");
    expect(broken("$['\ud800']")).to.equal("path-syntax at 3");
    expect(broken("$[01]")).to.equal("path-syntax at 2");
    expect(broken(`$${".a".repeat(65)}`)).to.equal("path-unsupported at 129");
    expect(broken(`$.${"a".repeat(5000)}`)).to.equal("path-unsupported at 0");
  });

  it("know whether they select one value, and their last name", () => {
    expect([isSingular(path("$.a[0].b")), isSingular(path("$.a[*]")), isSingular(path("$..a"))]).to.deep.equal([
      true,
      false,
      false,
    ]);
    expect([lastName(path("$.a.phone[*]")), lastName(path("$..*"))]).to.deep.equal(["phone", undefined]);
  });
});

interface CtsCase {
  readonly name: string;
  readonly selector: string;
  readonly invalid_selector?: boolean;
  readonly document?: unknown;
  readonly result_paths?: readonly string[];
  /** Where members of an object may come in any order: one list for each order. */
  readonly results_paths?: readonly (readonly string[])[];
}

describe("A-14: JSONPath compliance test suite", () => {
  const file = vectorFile("jsonpath-cts/cts.json");
  const cases = file === undefined ? [] : (JSON.parse(readFileSync(file, "utf8")) as { tests: CtsCase[] }).tests;

  before(function () {
    if (cases.length > 0) return;
    if (requireVectors) expect.fail("the JSONPath compliance test suite is missing");
    process.stderr.write("SKIPPED, test vectors are missing: jsonpath-cts/cts.json\n");
    this.skip();
  });

  it("refuses every invalid selector, by line and column of the map", () => {
    const invalid = cases.filter(({ invalid_selector }) => invalid_selector === true);
    expect(invalid).to.have.length.greaterThan(200);
    for (const { name, selector } of invalid) {
      expect(parsePath(selector).kind, name).to.equal("broken");
      const { map, problems } = loadFieldMap({ path: "m.yaml", text: fieldMapText({ fields: [{ path: selector }] }) });
      expect(map, name).to.equal(undefined);
      expect(problems.map(({ rule }) => rule).join(), name).to.match(/^path-(syntax|unsupported)$/);
      expect(problems[0]?.line, name).to.equal(6);
      const parsed = parsePath(selector);
      const exact = JSON.stringify(selector).length === selector.length + 2;
      const column = 'fields: [{"path":'.length + 1 + (exact && parsed.kind === "broken" ? 1 + parsed.character : 0);
      expect(problems[0]?.column, name).to.equal(column);
    }
  });

  // What of the valid selectors is no part of the subset: several selectors, slices, filters, indexes from the end.
  const outside = (selector: string): boolean =>
    /\[[ \t\r\n]*(?:\?|-|-?[0-9]*[ \t\r\n]*:)/.test(selector) ||
    /^[^'"]*,/.test(selector) ||
    /^\$\.*\['[^']*'[^\]]*,/.test(selector);

  it("refuses what is valid and not in the subset, and selects what the suite selects with the rest", () => {
    const valid = cases.filter(({ invalid_selector }) => invalid_selector !== true);
    const refused = valid.filter(({ selector }) => parsePath(selector).kind === "broken");
    expect(refused.map(({ selector }) => selector).filter((selector) => !outside(selector))).to.deep.equal([]);
    const kept = valid.filter(({ selector }) => parsePath(selector).kind === "path");
    expect(kept.map(({ selector }) => selector).filter(outside)).to.deep.equal([]);
    expect(kept).to.have.length.greaterThan(80);
    for (const { name, selector, document, result_paths, results_paths } of kept) {
      const expected = result_paths ?? results_paths?.[0] ?? [];
      expect(selected(selector, document), name).to.have.members([...new Set(outermost(expected))]);
    }
  });

  /** Locations of the selected values: the selector is a field of a document that the suite's document is a member of. */
  function selected(selector: string, document: unknown): string[] {
    const { plan } = compilePlan({
      documents: [path("$")],
      fields: [path(`$.in${selector.slice(1)}`)],
      record: { sources: [], whenAbsent: "unbound" },
      recordPaths: [],
      names: "exact",
    });
    return locateValues(plan, { in: document })
      .filter(({ kind }) => kind === "field")
      .map(({ location }) => `$${location.slice("$['in']".length)}`);
  }

  /** A field is sealed whole, so what is selected inside of what is selected goes with it. */
  const outermost = (paths: readonly string[]): string[] =>
    paths.filter((one) => !paths.some((other) => one !== other && one.startsWith(other)));
});
