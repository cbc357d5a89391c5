import { expect } from "chai";
import fc from "fast-check";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { compilePlan, type CompiledPlan } from "../../src/fieldmap/document-plan.ts";
import type { JsonPath } from "../../src/fieldmap/json-path.ts";
import { normalisedPath } from "../../src/fieldmap/json-path.ts";
import type { NamePolicy } from "../../src/fieldmap/key-names.ts";
import { locateValues } from "../../src/fieldmap/locate-values.ts";
import type { StateFacts } from "../../src/fieldmap/types.ts";
import { path } from "./map-text.ts";
import { naivePlan } from "./naive-plan.ts";

interface Paths {
  readonly documents?: readonly string[];
  readonly fields: readonly string[];
  readonly records?: readonly string[];
  readonly names?: NamePolicy;
}

function compile({ documents = ["$"], fields, records = [], names = "refuseVariants" }: Paths): CompiledPlan {
  return compilePlan({
    documents: documents.map(path),
    fields: fields.map(path),
    record: {
      sources: records.map((record) => ({ kind: "document", path: record })),
      whenAbsent: "refuse",
    },
    recordPaths: records.map(path),
    names,
  });
}

const located = (paths: Paths, body: unknown): string[] =>
  locateValues(compile(paths).plan, body).map(({ kind, index, location, document }) =>
    kind === "document" ? `document ${location}` : `${kind} ${index} ${location} of ${document}`,
  );

/** Facts of the state that `steps` lead to. */
function factsAt(paths: Paths, ...steps: readonly (string | number)[]): StateFacts {
  const { plan } = compile(paths);
  let state = plan.guide.root;
  for (const step of steps) {
    const bytes = Buffer.from(String(step));
    state =
      typeof step === "number"
        ? plan.guide.element(state, step)
        : plan.guide.member(state, bytes, 0, bytes.length, false);
  }
  return plan.facts(state);
}

const conflictRules = (paths: Paths): string[] =>
  compile(paths).conflicts.map(({ broken, entry }) => `${broken.rule} ${entry.kind} ${entry.index}`);

describe("a document plan", () => {
  it("finds fields and records of the document at the root", () => {
    expect(
      located(
        { fields: ["$.ssn", "$.contacts[*].phone"], records: ["$._id"] },
        { _id: "7", ssn: "x", contacts: [{ phone: "1" }, { fax: "2" }], other: { ssn: "y" } },
      ),
    ).to.deep.equal([
      "document $",
      "record 0 $['_id'] of $",
      "field 0 $['ssn'] of $",
      "field 1 $['contacts'][0]['phone'] of $",
    ]);
  });

  it("takes an object or a list of them where both are selected", () => {
    const paths = { documents: ["$", "$[*]"], fields: ["$.ssn"] };
    expect(located(paths, [{ ssn: "x" }, { ssn: "y" }])).to.deep.equal([
      "document $[0]",
      "field 0 $[0]['ssn'] of $[0]",
      "document $[1]",
      "field 0 $[1]['ssn'] of $[1]",
    ]);
    expect(located(paths, { ssn: "x", inner: { ssn: "y" } })).to.deep.equal(["document $", "field 0 $['ssn'] of $"]);
  });

  it("counts the documents between a field and its own", () => {
    const paths = { documents: ["$", "$.children[*]"], fields: ["$.ssn", "$.children[*].plan.code"] };
    expect(compile(paths).conflicts).to.deep.equal([]);
    expect(factsAt(paths, "children", 0, "plan", "code").field).to.deep.equal({ index: 1, documentsUp: 1 });
    expect(factsAt(paths, "children", 0, "ssn").field).to.deep.equal({ index: 0, documentsUp: 0 });
    expect(located(paths, { children: [{ ssn: "x", plan: { code: 1 } }] })).to.deep.equal([
      "document $",
      "document $['children'][0]",
      "field 0 $['children'][0]['ssn'] of $['children'][0]",
      "field 1 $['children'][0]['plan']['code'] of $",
    ]);
  });

  it("says what containers must be", () => {
    const paths = { fields: ["$.a.b", "$.list[0]", "$.any[*].x", "$.any[*].y", "$..deep.c"] };
    expect(factsAt(paths, "a").expects).to.equal("object");
    expect(factsAt(paths, "list").expects).to.equal("array");
    expect(factsAt(paths, "any").expects).to.equal("either");
    expect(factsAt(paths, "any", 3).expects).to.equal("object");
    expect(factsAt(paths, "other").expects).to.equal(undefined);
    expect(factsAt(paths, "other", "deep").expects).to.equal("object");
  });

  it("says where lists of documents are entered", () => {
    const paths = { documents: ["$", "$.docs[*]", "$.named.doc"], fields: ["$.ssn"] };
    expect(factsAt(paths)).to.include({ document: true, arrayEntered: false });
    expect(factsAt(paths, "docs")).to.include({ document: false, arrayEntered: true });
    expect(factsAt(paths, "docs", 5)).to.include({ document: true, arrayEntered: false });
    expect(factsAt(paths, "named")).to.include({ document: false, arrayEntered: false });
    expect(factsAt({ documents: ["$..patient"], fields: ["$.ssn"] }).arrayEntered).to.equal(false);
  });

  it("is dead where nothing below matters", () => {
    const { plan } = compile({ fields: ["$.ssn"] });
    const at = (name: string): number => plan.guide.member(plan.guide.root, Buffer.from(name), 0, name.length, false);
    expect(at("other")).to.equal(0);
    expect(plan.guide.element(plan.guide.root, 0)).to.equal(0);
    expect(plan.guide.member(0, Buffer.from("ssn"), 0, 3, false)).to.equal(0);
    expect(plan.facts(0)).to.include({ document: false, field: undefined });
  });

  it("A-11: takes names that objects inherit for plain names", () => {
    const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
    const body: unknown = JSON.parse(`{${names.map((name) => `"${name}":{"ssn":"x"}`).join()},"ssn":"y"}`);
    expect(located({ fields: ["$.__proto__.ssn", "$.ssn"] }, body)).to.deep.equal([
      "document $",
      "field 0 $['__proto__']['ssn'] of $",
      "field 1 $['ssn'] of $",
    ]);
    expect(({} as { ssn?: string }).ssn).to.equal(undefined);
  });

  describe("and case variants", () => {
    const body = { docs: [{ contacts: [{ Phone: "1" }] }] };
    const paths = { documents: ["$.docs[*]"], fields: ["$.contacts[*].phone"], records: ["$._id"] };

    it("refuses them wherever the name is expected, on requests", () => {
      for (const bad of [body, { DOCS: [] }, { docs: [{ _Id: 1 }] }, { docs: [{ _id: 1, _ID: 1 }] }]) {
        expect(() => located(paths, bad)).to.satisfy(throwsNameCase);
      }
      expect(located(paths, { ID: 1, phone: 1, docs: [{ docs: 1, other: { PHONE: 1 } }] })).to.deep.equal([
        "document $['docs'][0]",
      ]);
    });

    it("refuses them at every depth below a descendant", () => {
      expect(() => located({ fields: ["$..ssn"] }, { a: [{ b: { SSN: 1 } }] })).to.satisfy(throwsNameCase);
    });

    it("takes them for other names on answers", () => {
      expect(located({ ...paths, names: "exact" }, body)).to.deep.equal(["document $['docs'][0]"]);
    });

    it("takes them for the same name under ignoreCase", () => {
      expect(located({ ...paths, names: "ignoreCase" }, { Docs: [{ CONTACTS: [{ Phone: "1" }] }] })).to.deep.equal([
        "document $['Docs'][0]",
        "field 0 $['Docs'][0]['CONTACTS'][0]['Phone'] of $['Docs'][0]",
      ]);
    });
  });

  describe("Q-02: refuses contradictions", () => {
    const cases: readonly (readonly [string, Paths, readonly string[]])[] = [
      ["a field in a field", { fields: ["$.a", "$.a.b"] }, ["field-overlap field 1"]],
      ["a field around a field", { fields: ["$.a.b", "$.a"] }, ["field-overlap field 0"]],
      ["a field twice", { fields: ["$.a", "$['a']"] }, ["field-overlap field 1"]],
      ["a wildcard over a name", { fields: ["$.*", "$.ssn"] }, ["field-overlap field 1"]],
      ["a wildcard over a path", { fields: ["$.*.b", "$.a"] }, ["field-overlap field 0"]],
      ["a descendant over a name", { fields: ["$..ssn", "$.a.ssn"] }, ["field-overlap field 1"]],
      ["two descendants", { fields: ["$..a.b", "$..b"] }, ["field-overlap field 1"]],
      ["a descendant below a field", { fields: ["$.a", "$.a..b"] }, ["field-overlap field 1"]],
      ["a descendant wildcard over everything", { fields: ["$..*", "$.a.b.c"] }, ["field-overlap field 1"]],
      ["case variants that are one name", { fields: ["$.a", "$.A"], names: "ignoreCase" }, ["field-overlap field 1"]],
      ["two shapes of one container", { fields: ["$.a.b", "$.a[0]"] }, ["field-shape field 1"]],
      ["a record that is a field", { fields: ["$.id"], records: ["$.id"] }, ["record-in-field record 0"]],
      ["a record in a field", { fields: ["$.meta"], records: ["$.meta.id"] }, ["record-in-field record 0"]],
      ["a field in a record", { fields: ["$.id.x"], records: ["$.id"] }, ["record-in-field field 0"]],
      ["a document twice", { documents: ["$[*]", "$[0]"], fields: ["$.a"] }, ["document-overlap document 1"]],
      ["a document that is a field", { documents: ["$", "$.a"], fields: ["$.a"] }, ["document-in-field document 1"]],
      ["a document in a field", { documents: ["$", "$.a.b[*]"], fields: ["$.a"] }, ["document-in-field document 1"]],
      ["a field of two documents", { documents: ["$", "$.kid"], fields: ["$..ssn"] }, ["field-overlap field 0"]],
      [
        "a field of two documents by name",
        { documents: ["$", "$.kid"], fields: ["$.kid.a", "$.a"] },
        ["field-overlap field 1"],
      ],
      [
        "a record of two documents",
        { documents: ["$", "$.kid"], fields: ["$.a"], records: ["$.kid.id", "$.id"] },
        ["record-overlap record 1"],
      ],
      ["documents in documents without end", { documents: ["$..p"], fields: ["$..ssn"] }, ["field-overlap field 0"]],
    ];
    for (const [what, paths, expected] of cases) {
      it(what, () => expect([...new Set(conflictRules(paths))].slice(0, 1)).to.deep.equal(expected));
    }

    it("but not what is disjoint, nor what a descendant only may reach", () => {
      for (const paths of [
        { fields: ["$.a.b", "$.a.c", "$.b", "$.c[0].x", "$.c[1].x"] },
        { fields: ["$.a", "$.A"] },
        { fields: ["$..ssn", "$.notes", "$..phone"] },
        { fields: ["$.a[*]", "$.b.*"], records: ["$.id", "$.meta.id"] },
        { documents: ["$", "$[*]", "$.docs[*]"], fields: ["$.ssn"] },
        { documents: ["$..patient"], fields: ["$.ssn", "$.name.last"] },
      ]) {
        expect(conflictRules(paths), JSON.stringify(paths)).to.deep.equal([]);
      }
    });
  });

  it("tells fields that nothing can meet", () => {
    expect(compile({ fields: ["$.a", "$[0].b", "$..[0]"] }).unreachable).to.deep.equal([1]);
  });

  it("seals the outer field whole where a descendant would find another one in it", () => {
    expect(located({ fields: ["$..ssn", "$.notes"] }, { notes: { ssn: 1 }, a: { ssn: { ssn: 2 } } })).to.deep.equal([
      "document $",
      "field 1 $['notes'] of $",
      "field 0 $['a']['ssn'] of $",
    ]);
  });

  it("is bounded: paths that would explode are refused, many plain ones are not", () => {
    expect(compile({ fields: [`$..a${"[*]".repeat(20)}`] }).tooComplex).to.equal(true);
    expect(
      compile({ fields: Array.from({ length: 1000 }, (_, i) => `$.group${i % 10}.field${i}`) }).tooComplex,
    ).to.equal(false);
    expect(compile({ fields: Array.from({ length: 100 }, (_, i) => `$..field${i}`) }).tooComplex).to.equal(false);
  });

  it("I-06: walks a wide body of depth 60 below a descendant in constant time per key", () => {
    const { plan } = compile({ fields: ["$..ssn", "$..card[*].number"] });
    const name = Buffer.from("someName");
    const walk = (levels: number, width: number): number => {
      const started = process.hrtime.bigint();
      for (let repeat = 0; repeat < 20; repeat += 1) {
        let state = plan.guide.root;
        for (let level = 0; level < levels; level += 1) {
          let next = 0;
          for (let i = 0; i < width; i += 1) next = plan.guide.member(state, name, 0, name.length, false);
          state = next;
        }
        expect(state).not.to.equal(0);
      }
      return Number(process.hrtime.bigint() - started) / (20 * levels * width);
    };
    walk(60, 1000);
    expect(Math.min(walk(60, 1000), walk(60, 1000))).to.be.lessThan(1000);
  });

  it("agrees with a naive evaluation of its paths", () => {
    const name = fc.constantFrom("a", "b", "c", "__proto__");
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.constantFrom<unknown>(1, "x", null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc
          .uniqueArray(fc.tuple(name, tie("value")), { maxLength: 4, selector: ([key]) => key })
          .map((entries): unknown =>
            JSON.parse(`{${entries.map(([key, value]) => `"${key}":${JSON.stringify(value)}`).join()}}`),
          ),
      ),
    })).value;
    const segment = fc.record({
      descendant: fc.boolean().chain((first) => (first ? fc.boolean() : fc.constant(false))),
      selector: fc.oneof(
        { weight: 5, arbitrary: name.map((text) => ({ kind: "name" as const, name: text })) },
        { weight: 2, arbitrary: fc.constant({ kind: "wildcard" as const }) },
        { weight: 1, arbitrary: fc.nat(2).map((index) => ({ kind: "index" as const, index })) },
      ),
    });
    const jsonPath = (least: number, most: number): fc.Arbitrary<JsonPath> =>
      fc
        .array(segment, { minLength: least, maxLength: most })
        .map((segments) => ({ text: normalisedPath(segments), segments }));
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(jsonPath(0, 2), { minLength: 1, maxLength: 3 }),
        fc.array(jsonPath(1, 4), { minLength: 1, maxLength: 3 }),
        fc.array(jsonPath(1, 2), { maxLength: 1 }),
        fc.array(json, { minLength: 8, maxLength: 8 }),
        (documents, fields, records, bodies) => {
          const { plan, conflicts, tooComplex } = compilePlan({
            documents,
            fields,
            record: { sources: records.map(({ text }) => ({ kind: "document", path: text })), whenAbsent: "refuse" },
            recordPaths: records,
            names: "refuseVariants",
          });
          if (conflicts.length > 0 || tooComplex) return;
          for (const body of bodies) {
            compared += 1;
            expect(locateValues(plan, body)).to.deep.equal(naivePlan({ documents, fields, records }, body));
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(compared).to.be.greaterThan(500);
  });
});

function throwsNameCase(task: () => unknown): boolean {
  try {
    task();
    return false;
  } catch (error) {
    return hasCode(error, "name_case");
  }
}
