import { expect } from "chai";
import fc from "fast-check";
import { createRouteTable } from "../../src/fieldmap/route-table.ts";
import type { LoadedFieldMap } from "../../src/fieldmap/loaded-map.ts";
import type { RouteTable } from "../../src/fieldmap/types.ts";
import { brokenRules, fieldMap } from "./map-text.ts";

interface RouteSketch {
  readonly methods?: readonly string[];
  readonly path: string;
  readonly does?: "seal" | "open" | "pass" | "passthrough";
  readonly captures?: Readonly<Record<string, unknown>>;
}

const rules = {
  seal: { request: { seal: ["$"] } },
  open: { response: { open: ["$"] } },
  pass: { request: { pass: true } },
  passthrough: { passthrough: true },
} as const;

const mapOf = (routes: readonly RouteSketch[], dataset = "patients"): LoadedFieldMap =>
  fieldMap({
    dataset,
    routes: routes.map(({ does = "seal", ...match }) => ({ match, ...rules[does] })),
  });

const tableOf = (...routes: readonly RouteSketch[]): RouteTable => createRouteTable([mapOf(routes)]).table;

/** `pattern {captures}` or the refusal's code. */
function ask(table: RouteTable, method: string, target: string): string {
  const verdict = table.match(method, target);
  if (verdict.kind === "refuse") return verdict.code;
  const captures = [...verdict.captures].map(([name, value]) => `${name}=${value}`).join();
  return captures === "" ? verdict.route.pattern : `${verdict.route.pattern} ${captures}`;
}

describe("routes", () => {
  it("go from literal to capture to one segment to any number", () => {
    const table = tableOf(
      { path: "/**" },
      { path: "/v1/**" },
      { path: "/v1/*" },
      { path: "/v1/{id}" },
      { path: "/v1/x" },
      { path: "/v1/{id}/y" },
      { path: "/v1/**/end" },
    );
    expect(ask(table, "GET", "/v1/x")).to.equal("/v1/x");
    expect(ask(table, "GET", "/v1/z")).to.equal("/v1/{id} id=z");
    expect(ask(table, "GET", "/v1/z/y")).to.equal("/v1/{id}/y id=z");
    expect(ask(table, "GET", "/v1/z/z")).to.equal("/v1/**");
    expect(ask(table, "GET", "/v1/a/b/end")).to.equal("/v1/**/end");
    expect(ask(table, "GET", "/v1")).to.equal("/v1/**");
    expect(ask(table, "GET", "/")).to.equal("/**");
  });

  it("take zero segments for **, never an empty one for a capture or *", () => {
    expect(ask(tableOf({ path: "/a/**" }), "GET", "/a")).to.equal("/a/**");
    expect(ask(tableOf({ path: "/a/{x}" }), "GET", "/a/")).to.equal("no_route");
    expect(ask(tableOf({ path: "/a/*" }), "GET", "/a/")).to.equal("no_route");
    expect(ask(tableOf({ path: "/a/" }), "GET", "/a/")).to.equal("/a/");
  });

  it("are chosen among those that list the method; HEAD follows GET", () => {
    const table = tableOf({ methods: ["GET"], path: "/a/b" }, { methods: ["POST"], path: "/a/{x}", does: "open" });
    expect(ask(table, "GET", "/a/b?q=/x#".replace("#", ""))).to.equal("/a/b");
    expect(ask(table, "HEAD", "/a/b")).to.equal("/a/b");
    expect(ask(table, "POST", "/a/b")).to.equal("/a/{x} x=b");
    expect(ask(table, "PUT", "/a/b")).to.equal("method_not_allowed");
    expect(ask(table, "PUT", "/b")).to.equal("no_route");
    expect(table.match("PUT", "/a/b")).to.have.property("allow").that.has.members(["GET", "HEAD", "POST"]);
  });

  it("B-14: never route what makes a request something else", () => {
    const table = tableOf({ path: "/**", does: "passthrough" });
    for (const method of ["TRACE", "CONNECT"]) expect(ask(table, method, "/a")).to.equal("method_not_allowed");
    expect(ask(table, "PROPFIND", "/a")).to.equal("/**");
  });

  it("keep a passthrough from what a more specific pattern protects under other methods", () => {
    const table = tableOf(
      { path: "/**", does: "passthrough" },
      { methods: ["PUT"], path: "/p/{id}" },
      { methods: ["DELETE"], path: "/p/{id}", does: "passthrough" },
      { methods: ["POST"], path: "/q", does: "pass" },
    );
    expect(ask(table, "POST", "/p/1")).to.equal("method_not_allowed");
    expect(table.match("POST", "/p/1")).to.have.property("allow").that.has.members(["PUT", "DELETE"]);
    expect(ask(table, "DELETE", "/p/1")).to.equal("/p/{id} id=1");
    expect(ask(table, "POST", "/r")).to.equal("/**");
    expect(ask(table, "GET", "/q")).to.equal("/**");
  });

  it("decode once and match by what is decoded", () => {
    const table = tableOf({ path: "/größe/{id}" }, { path: "/a b" });
    expect(ask(table, "GET", "/gr%C3%B6%c3%9fe/x%20%3F%23%3B")).to.equal("/größe/{id} id=x ?#;");
    expect(ask(table, "GET", "/a%20b")).to.equal("/a b");
  });

  it("refuse spellings that two servers read in two ways", () => {
    const table = tableOf({ path: "/**", does: "passthrough" });
    for (const target of [
      "*",
      "",
      "a",
      "http://host/a",
      "//host/a",
      "/a//b",
      "/a//",
      "/./a",
      "/a/..",
      "/a/../b",
      "/%2e/a",
      "/a/%2E%2e/b",
      "/a/.%2e",
      "/a;b=c",
      "/a\\b",
      "/a%5Cb",
      "/a%2Fb",
      "/a%2fb",
      "/a%00",
      "/a%0d%0a",
      "/a%7f",
      "/a%c2%85",
      "/a%25",
      "/a%252e",
      "/a%",
      "/a%2",
      "/a%zz",
      "/é",
      "/a b",
      "/a\tb",
      "/a#x",
      "/a?x#y",
      "/a%C0%AF",
      "/a%ff",
      "/a%ED%A0%80",
      "/a?b=é",
    ]) {
      expect(ask(table, "GET", target), target).to.equal("path_refused");
    }
    for (const target of ["/", "/a", "/a/", "/...", "/a/..b", "/a?//../;%", "/a?\\", "/~a!$&'()*+,=:@", "/%7Ea"]) {
      expect(ask(table, "GET", target), target).to.equal("/**");
    }
  });

  it("take an encoded slash only in a capture that allows it", () => {
    const captures = { id: { encodedSlash: "allow" } };
    const table = tableOf(
      { path: "/p/{id}", captures },
      { path: "/q/{id}" },
      { path: "/r/{a}/{b}" },
      { path: "/**", does: "passthrough" },
    );
    expect(ask(table, "GET", "/p/a%2Fb%2fc")).to.equal("/p/{id} id=a/b/c");
    for (const target of [
      "/q/a%2Fb",
      "/p/..%2Fa",
      "/p/a%2F%2e",
      "/p/a%2F%2Fb",
      "/p/%2Fa",
      "/p/a%2F",
      "/p%2Fa",
      "/r/a%2Fb",
      "/x/a%2Fb",
    ]) {
      expect(ask(table, "GET", target), target).to.equal("path_refused");
    }
    const open = tableOf(
      { path: "/{all}", captures: { all: { encodedSlash: "allow" } }, does: "passthrough" },
      { path: "/v1/p" },
    );
    expect(ask(open, "GET", "/v1%2Fx")).to.equal("/{all} all=v1/x");
    expect(ask(open, "GET", "/v1%2Fp")).to.equal("path_refused");
  });

  describe("B-12: spellings of a protected path", () => {
    const spelled = [
      "/v1//patients",
      "/v1/./patients",
      "/v1/x/../patients",
      "/v1/patients/",
      "/V1/Patients",
      "/v1/PATIENTS/",
      "/v1/patients;a=b",
      "/v1/patients%2f",
      "/v1/patients#x",
      "/v1\\patients",
      "/v1/%70atients/",
      "/v1/patient%53",
      "/v1/patientſ".replace("ſ", "%C5%BF"),
    ];

    it("are refused before a passthrough takes them", () => {
      const table = tableOf({ methods: ["POST"], path: "/v1/patients" }, { path: "/**", does: "passthrough" });
      for (const target of spelled) expect(ask(table, "POST", target), target).to.equal("path_refused");
      expect(ask(table, "POST", "/v1/%70atients")).to.equal("/v1/patients");
      expect(ask(table, "POST", "/v1/patientsx")).to.equal("/**");
      expect(ask(table, "GET", "/V1/Patients")).to.equal("/**");
    });

    it("are refused where nothing takes them, too", () => {
      const table = tableOf({ methods: ["GET"], path: "/v1/patients", does: "open" });
      for (const target of spelled) expect(ask(table, "GET", target), target).to.equal("path_refused");
      expect(ask(table, "POST", "/V1/Patients")).to.equal("no_route");
    });

    it("are refused also where the map has the slash and the request has not", () => {
      const table = tableOf({ path: "/v1/patients/" }, { path: "/**", does: "passthrough" });
      expect(ask(table, "POST", "/v1/patients")).to.equal("path_refused");
    });

    it("land where they are spelled when that is protected itself, or more specific", () => {
      const table = tableOf(
        { path: "/v1/{x}" },
        { path: "/v1/patients", does: "open" },
        { path: "/v1/public", does: "passthrough" },
      );
      expect(ask(table, "GET", "/v1/Patients")).to.equal("/v1/{x} x=Patients");
      expect(ask(table, "GET", "/v1/public")).to.equal("/v1/public");
    });
  });

  it("tie when their shape is the same and a method is shared, across maps", () => {
    const clash = (a: RouteSketch, b: RouteSketch): string[] =>
      createRouteTable([mapOf([a]), mapOf([b], "other")]).problems.map(({ rule, line }) => `${line} ${rule}`);
    expect(clash({ path: "/a/{x}" }, { path: "/a/{y}" })).to.deep.equal(["7 route-tie"]);
    expect(clash({ methods: ["GET"], path: "/a" }, { path: "/a" })).to.deep.equal(["7 route-tie"]);
    expect(clash({ methods: ["GET"], path: "/a" }, { methods: ["HEAD"], path: "/a" })).to.deep.equal(["7 route-tie"]);
    expect(clash({ methods: ["GET"], path: "/a" }, { methods: ["POST"], path: "/a" })).to.deep.equal([]);
    expect(clash({ path: "/a/{x}" }, { path: "/a/*" })).to.deep.equal([]);
    expect(clash({ path: "/{x}/a" }, { path: "/{x}/b" })).to.deep.equal([]);
    expect(brokenRules({ routes: [1, 2].map(() => ({ match: { path: "/a" }, passthrough: true })) })).to.deep.equal([
      "7 route-tie",
    ]);
  });

  it("refuse two maps of one dataset, by former names too", () => {
    const first = mapOf([{ path: "/a" }]);
    const again = mapOf([{ path: "/b" }]);
    const formerly = fieldMap({
      dataset: "people",
      formerly: ["patients"],
      routes: [{ match: { path: "/c" }, passthrough: true }],
    });
    expect(createRouteTable([first, again]).problems.map(({ rule }) => rule)).to.deep.equal(["dataset-twice"]);
    expect(createRouteTable([first, formerly]).problems.map(({ rule }) => rule)).to.deep.equal(["dataset-twice"]);
  });

  it("agree with patterns as regular expressions, whatever the order in the file", () => {
    const segment = fc.constantFrom("a", "b", "{x}", "*", "**");
    const patterns = fc
      .array(
        fc
          .array(segment, { minLength: 1, maxLength: 3 })
          .filter(
            (parts) =>
              parts.filter((part) => part === "**").length < 2 && parts.filter((part) => part === "{x}").length < 2,
          ),
        { minLength: 1, maxLength: 4 },
      )
      .map((lists) => [...new Set(lists.map((parts) => `/${parts.join("/")}`))]);
    const requested = fc
      .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
      .map((parts) => `/${parts.join("/")}`);
    const rank = (pattern: string): string => {
      const parts = pattern.slice(1).split("/");
      const ranks = parts.map((part) => ["{x}", "*", "**"].indexOf(part) + 2);
      return [...ranks, parts.includes("**") ? 5 : 0].join("");
    };
    fc.assert(
      fc.property(patterns, fc.array(requested, { minLength: 5, maxLength: 5 }), (list, targets) => {
        const table = tableOf(...list.map((path) => ({ path })));
        for (const target of targets) {
          const expected = list
            .filter((pattern) =>
              new RegExp(
                `^${pattern.replaceAll("/**", "(?:/[^/]+){0,}").replaceAll(/(?<!\{0)\*|\{x\}/g, "[^/]+")}$`,
              ).test(target),
            )
            .toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0];
          expect(ask(table, "GET", target).split(" ")[0], `${target} in ${list.join()}`).to.equal(
            expected ?? "no_route",
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
