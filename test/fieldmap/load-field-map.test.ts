import { expect } from "chai";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { loadFieldMap } from "../../src/fieldmap/load-field-map.ts";
import { locateValues } from "../../src/fieldmap/locate-values.ts";
import { fieldMapJsonSchema } from "../../src/fieldmap/map-schema.ts";
import { mapWarnings } from "../../src/fieldmap/map-rules.ts";
import { createRouteTable } from "../../src/fieldmap/route-table.ts";
import { brokenRules, fieldMap, fieldMapText } from "./map-text.ts";

const config = (name: string): string => readFileSync(resolve(import.meta.dirname, "../../config", name), "utf8");

const warningsOf = (settings: Readonly<Record<string, unknown>>): string[] =>
  loadFieldMap({ path: "m.yaml", text: fieldMapText(settings) }).warnings.map(({ line, rule }) => `${line} ${rule}`);

describe("loading a field map", () => {
  it("takes the example, whose warnings are meant", () => {
    const { map, problems, warnings } = loadFieldMap({ path: "patients.yaml", text: config("example/patients.yaml") });
    expect(problems).to.deep.equal([]);
    expect(warnings.map(({ rule }) => rule)).to.deep.equal(["size-growth", "not-searchable-yet", "unbound-values"]);
    expect(map?.dataset.fields.map(({ name }) => name)).to.deep.equal([
      "ssn",
      "$['contacts'][*]['phone']",
      "$['notes']",
      "$['email']",
    ]);
    expect(map?.routes.map(({ route }) => route.label)).to.deep.equal([
      "patients POST /v1/patients",
      "patients GET /v1/patients",
      "patients GET|PUT|PATCH /v1/patients/{id}",
      "patients DELETE /v1/patients/{id}",
      "patients POST /v1/reports",
      "patients * /v1/public/**",
    ]);
    expect(map && createRouteTable([map]).problems).to.deep.equal([]);
  });

  it("fills in defaults", () => {
    const { dataset, routes } = fieldMap({
      record: undefined,
      tenant: { header: "X-Tenant-Id" },
      fields: [{ path: "$.a" }, { path: "$.b", mode: "deterministic" }],
    });
    expect(dataset).to.deep.equal({
      name: "patients",
      formerly: [],
      tenant: { kind: "header", name: "x-tenant-id" },
      names: "exact",
      onOpenFailure: "refuse",
      file: "map.yaml",
      fields: [
        {
          name: "$['a']",
          formerly: [],
          path: "$.a",
          mode: "randomized",
          pad: undefined,
          optional: true,
          nulls: "seal",
          phase: "enforce",
          sealedInput: "refuse",
        },
        {
          name: "$['b']",
          formerly: [],
          path: "$.b",
          mode: "deterministic",
          pad: undefined,
          optional: true,
          nulls: "pass",
          phase: "enforce",
          sealedInput: "refuse",
        },
      ],
    });
    expect(routes[0]?.route).to.include({ methods: undefined, passthrough: false, open: undefined });
  });

  it("is frozen", () => {
    const { dataset, routes } = fieldMap();
    for (const part of [
      dataset,
      dataset.fields,
      dataset.fields[0],
      dataset.tenant,
      routes,
      routes[0],
      routes[0]?.route,
    ]) {
      expect(typeof part === "object" && Object.isFrozen(part)).to.equal(true);
    }
  });

  it("gives each route the record sources that it can have", () => {
    const { routes } = fieldMap({
      record: [{ path: "id" }, "$._id"],
      whenAbsent: "unbound",
      routes: [
        { match: { path: "/p/{id}" }, request: { seal: ["$"] } },
        { match: { path: "/p" }, request: { seal: ["$"] }, whenAbsent: "refuse" },
        { match: { path: "/q" }, request: { seal: ["$"] }, record: "none" },
        { match: { path: "/r/{key}" }, request: { seal: ["$"] }, record: ["$.key", { path: "key" }] },
      ],
    });
    const records = routes.map(({ route }) => route.request.kind === "seal" && route.request.plan.record);
    const document = { kind: "document", path: "$._id" };
    expect(records).to.deep.equal([
      { sources: [{ kind: "path", capture: "id" }, document], whenAbsent: "unbound" },
      { sources: [document], whenAbsent: "refuse" },
      { sources: [], whenAbsent: "unbound" },
      {
        sources: [
          { kind: "document", path: "$.key" },
          { kind: "path", capture: "key" },
        ],
        whenAbsent: "unbound",
      },
    ]);
    const { request } = routes[0]!.route;
    const located = request.kind === "seal" ? locateValues(request.plan, { _id: "x", ssn: "y" }) : [];
    expect(located.map(({ kind, index }) => `${kind} ${index}`)).to.deep.equal(["document 0", "record 1", "field 0"]);
  });

  it("tells every problem of a file at once, in reading order", () => {
    const { problems } = loadFieldMap({
      path: "m.yaml",
      text: fieldMapText({
        tenant: { hedaer: "x" },
        names: "Exact",
        fields: [{ path: "$.a[" }, { pth: "$.b" }, { path: "$.c", mode: "deterministic", pad: 4 }],
        routes: [{ match: { path: "nowhere", methods: ["PSOT"] } }],
        observe: true,
      }),
    });
    expect(problems.map(({ line, rule }) => `${line} ${rule}`)).to.deep.equal([
      "4 unknown-setting",
      "6 path-syntax",
      "6 missing-setting",
      "6 unknown-setting",
      "6 deterministic-pad",
      "7 pattern-form",
      "7 unknown-value",
      "8 unknown-value",
      "9 unknown-setting",
    ]);
    expect(problems.map(({ fix }) => fix)).to.include.members([
      "Did you mean header?",
      "Did you mean path?",
      "Did you mean POST?",
      "Did you mean exact?",
    ]);
  });

  it("tells every contradiction at once", () => {
    expect(
      brokenRules({
        record: [{ path: "id" }],
        whenAbsent: "unbound",
        fields: [{ path: "$.a" }, { path: "$.a.b", name: "$['a']" }],
        routes: [{ match: { path: "/a" } }, { match: { path: "/b" }, passthrough: true, response: { open: ["$"] } }],
      }),
    ).to.have.members([
      "5 record-capture",
      "6 field-name-twice",
      "6 field-overlap",
      "7 route-without-rule",
      "7 route-contradiction",
    ]);
  });

  it("does not know later settings", () => {
    const later = [
      { fields: [{ path: "$.a", query: "equality" }] },
      { fields: [{ path: "$.a", phase: "observe" }] },
      { tenant: { certificate: "san" } },
      { tenant: { claim: "org" } },
      { tenant: { document: "$.org" } },
      { unmatched: "passthrough" },
    ];
    for (const settings of later) {
      expect(brokenRules(settings).join(), JSON.stringify(settings)).to.match(/^[0-9]+ unknown-(setting|value)$/);
    }
  });

  it("takes only true for passthrough and pass", () => {
    expect(brokenRules({ routes: [{ match: { path: "/a" }, passthrough: false }] })).to.deep.equal(["7 unknown-value"]);
    expect(brokenRules({ routes: [{ match: { path: "/a" }, request: { pass: false } }] })).to.deep.equal([
      "7 unknown-value",
    ]);
    expect(brokenRules({ routes: [{ match: { path: "/a" }, request: { pass: true, seal: ["$"] } }] })).to.deep.equal([
      "7 wrong-form",
    ]);
    expect(brokenRules({ routes: [{ match: { path: "/a" }, request: { seal: [] } }] })).to.deep.equal([
      "7 out-of-range",
    ]);
  });

  describe("and its record", () => {
    const seal = { match: { path: "/a" }, request: { seal: ["$"] } };
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[]])[] = [
      [
        "a capture of another route in a route's own record",
        {
          routes: [
            { ...seal, record: [{ path: "id" }] },
            { match: { path: "/{id}" }, passthrough: true },
          ],
        },
        ["7 record-capture"],
      ],
      [
        "whenAbsent where the record is none",
        { routes: [{ ...seal, record: "none", whenAbsent: "unbound" }] },
        ["7 record-contradiction"],
      ],
      [
        "a record on a route that has no use for it",
        { routes: [{ match: { path: "/a" }, request: { pass: true }, record: "none" }] },
        ["7 record-contradiction"],
      ],
      [
        "a route that opens and has no source",
        {
          record: [{ path: "id" }],
          routes: [
            { match: { path: "/{id}" }, request: { seal: ["$"] } },
            { match: { path: "/" }, response: { open: ["$"] } },
          ],
        },
        ["7 record-without-route"],
      ],
      [
        "a record inside a field, of a route's own",
        { routes: [{ ...seal, record: ["$.ssn.id"] }] },
        ["7 record-in-field"],
      ],
      ["a record that a wildcard maps", { fields: [{ path: "$.*" }], record: ["$._id"] }, ["5 record-in-field"]],
      [
        "reopening where one route binds no record",
        {
          record: ["$.id"],
          fields: [{ path: "$.ssn", sealedInput: "reopen" }],
          routes: [seal, { ...seal, match: { path: "/b" }, record: "none" }],
        },
        ["6 reopen-unbound"],
      ],
      [
        "reopening a deterministic field",
        { record: ["$.id"], fields: [{ path: "$.ssn", mode: "deterministic", sealedInput: "reopen" }] },
        ["6 reopen-unbound"],
      ],
    ];
    for (const [what, settings, expected] of cases) {
      it(`refuses ${what}`, () => expect(brokenRules(settings)).to.deep.equal(expected));
    }

    it("may be bound by capture on one route and unbound on another that says so", () => {
      const record = [{ path: "id" }];
      const bound = { match: { path: "/{id}" }, request: { seal: ["$"] } };
      expect(brokenRules({ record, routes: [bound, { ...seal, whenAbsent: "unbound" }] })).to.deep.equal([]);
      expect(brokenRules({ record, routes: [bound, { ...seal, record: "none" }] })).to.deep.equal([]);
    });
  });

  it("warns of what an operator should know, where it stands", () => {
    expect(warningsOf({})).to.deep.equal(["5 unbound-values", "6 size-growth"]);
    expect(warningsOf({ record: undefined })).to.deep.equal(["3 unbound-values", "5 size-growth"]);
    expect(
      warningsOf({
        record: ["$.id"],
        fields: [
          { path: "$..ssn", mode: "deterministic" },
          { path: "$.b", phase: "migrate" },
        ],
        routes: [{ match: { path: "/p" }, request: { seal: ["$"] }, response: { open: ["$"] }, whenAbsent: "unbound" }],
        onOpenFailure: "keepSealed",
      }),
    ).to.have.members([
      "6 size-growth",
      "6 not-searchable-yet",
      "6 descendant-cost",
      "6 migrating",
      "7 unbound-values",
      "8 keep-sealed",
    ]);
    expect(
      warningsOf({ record: ["$.id"], routes: [{ match: { path: "/p" }, response: { open: ["$..doc"] } }] }),
    ).to.deep.equal(["6 size-growth", "7 descendant-cost"]);
    expect(Object.keys(mapWarnings)).to.have.length(6);
  });

  it("Q-01: survives hostile files and tells where they break", () => {
    const bomb = Array.from(
      { length: 10 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : Array.from({ length: 9 }, () => `*a${i - 1}`).join()}]`,
    );
    for (const text of [
      bomb.join("\n"),
      "a".repeat(2 ** 20 + 1),
      "[".repeat(100_000),
      "",
      "\u0000",
      "- 1",
      "null",
      "x",
      "{}",
      "? {}",
      "--- \n---\n",
    ]) {
      const { map, problems } = loadFieldMap({ path: "m.yaml", text });
      expect(map).to.equal(undefined);
      expect(problems).not.to.deep.equal([]);
      for (const { line, column } of problems) expect(line > 0 && column > 0).to.equal(true);
    }
  });

  it("has a JSON Schema that the file in config/ equals (npm run schemas writes it)", () => {
    expect(JSON.parse(config("fieldmap.schema.json"))).to.deep.equal(JSON.parse(JSON.stringify(fieldMapJsonSchema())));
  });
});
