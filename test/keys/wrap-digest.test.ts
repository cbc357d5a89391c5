import { createHash } from "node:crypto";
import { expect } from "chai";
import { scopeName } from "../../src/keys/scope-name.ts";
import { wrapDigest } from "../../src/keys/wrap-digest.ts";
import { dataContext } from "../../src/kms/context.ts";

const lp = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

describe("wrap digest", () => {
  it("is SHA-256 over KEK name, wrapped key and context bytes, each with its length", () => {
    const context = [
      lp(Buffer.from("sealwright/v1 context")),
      Buffer.from([2]),
      ...["sealwright", "v1", "tenant", "t1"].map((text) => lp(Buffer.from(text))),
    ];
    const input = Buffer.concat([lp(Buffer.from("main")), lp(Buffer.from("wrap")), lp(Buffer.concat(context))]);
    expect(wrapDigest("main", Buffer.from("wrap"), dataContext({ tenant: "t1" }))).to.equal(
      createHash("sha256").update(input).digest("base64"),
    );
  });

  it("E-02: tells apart what joins to the same bytes", () => {
    const context = dataContext({ tenant: "t1" });
    const names = [
      wrapDigest("ab", Buffer.from("c"), context),
      wrapDigest("a", Buffer.from("bc"), context),
      wrapDigest("a", Buffer.from("bc"), dataContext({ dataset: "t1" })),
      wrapDigest("a", Buffer.from("bc"), dataContext({})),
    ];
    expect(new Set(names).size).to.equal(names.length);
  });
});

describe("scope name", () => {
  it("E-02: tells apart absent, empty and shifted members", () => {
    const names = [
      scopeName({}),
      scopeName({ tenant: "" }),
      scopeName({ dataset: "" }),
      scopeName({ tenant: "a" }),
      scopeName({ dataset: "a" }),
      scopeName({ tenant: "a|b", dataset: "c" }),
      scopeName({ tenant: "a", dataset: "b|c" }),
      scopeName({ tenant: "|", dataset: "" }),
      scopeName({ tenant: "", dataset: "|" }),
    ];
    expect(new Set(names).size).to.equal(names.length);
  });
});
