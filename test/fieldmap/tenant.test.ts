import { expect } from "chai";
import fc from "fast-check";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { tenantFrom } from "../../src/fieldmap/tenant.ts";
import type { TenantSource } from "../../src/fieldmap/types.ts";

const header: TenantSource = { kind: "header", name: "x-tenant-id" };

function tenant(
  source: TenantSource,
  values: readonly string[],
  captures: Readonly<Record<string, string>> = {},
): string {
  try {
    return tenantFrom(source, new Map(Object.entries(captures)), (name) => (name === "x-tenant-id" ? values : []));
  } catch (error) {
    if (hasCode(error, "tenant_refused")) return "refused";
    throw error;
  }
}

describe("the tenant", () => {
  it("comes from one header, a constant or a capture", () => {
    expect(tenant(header, ["t1"])).to.equal("t1");
    expect(tenant({ kind: "constant", tenant: "t2" }, [])).to.equal("t2");
    expect(tenant({ kind: "path", capture: "org" }, [], { org: "t3" })).to.equal("t3");
  });

  it("is refused when absent, repeated or odd", () => {
    expect(tenant(header, [])).to.equal("refused");
    expect(tenant(header, ["t1", "t1"])).to.equal("refused");
    expect(tenant({ kind: "path", capture: "org" }, ["t1"])).to.equal("refused");
    for (const odd of ["", " t1", "t1 ", "t1,t2", "t1\n", "a/b", "ü", "a".repeat(129), "\u0000"]) {
      expect(tenant(header, [odd]), odd).to.equal("refused");
      expect(tenant({ kind: "path", capture: "org" }, [], { org: odd }), odd).to.equal("refused");
    }
    expect(tenant(header, ["a".repeat(128)])).to.equal("a".repeat(128));
  });

  it("is the very text that was sent, or nothing", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 6, unit: "binary" }), (text) => {
        expect(tenant(header, [text])).to.equal(
          /^[A-Za-z0-9._-]+$/.test(text) && !text.endsWith("\n") ? text : "refused",
        );
      }),
      { numRuns: 50 },
    );
  });
});
