import { expect } from "chai";
import { contextBytes, dataContext, rootContext } from "../../src/kms/context.ts";

describe("KMS context", () => {
  it("holds exactly the scope", () => {
    expect(dataContext({ tenant: "t1", dataset: "patients" })).to.deep.equal({
      sealwright: "v1",
      tenant: "t1",
      dataset: "patients",
    });
    expect(dataContext({})).to.deep.equal({ sealwright: "v1" });
    expect(rootContext).to.deep.equal({ sealwright: "v1", purpose: "root" });
  });

  it("has bytes as the format says: label, count, members by name, each with its length", () => {
    // Written by hand from the format's page.
    const expected = [
      "00000015" + Buffer.from("sealwright/v1 context").toString("hex"),
      "03",
      "00000007" + "64617461736574" + "00000001" + "64",
      "0000000a" + "7365616c777269676874" + "00000002" + "7631",
      "00000006" + "74656e616e74" + "00000002" + "7431",
    ].join("");
    expect(contextBytes({ tenant: "t1", sealwright: "v1", dataset: "d" }).toString("hex")).to.equal(expected);
  });

  it("E-02: keeps contexts apart that a naive joining would confuse", () => {
    const pairs = [
      [{ a: "1,b=2" }, { a: "1", b: "2" }],
      [dataContext({ tenant: "a|b", dataset: "c" }), dataContext({ tenant: "a", dataset: "b|c" })],
      [dataContext({ tenant: "a" }), dataContext({ dataset: "a" })],
      [dataContext({}), rootContext],
    ] as const;
    for (const [one, other] of pairs) expect(contextBytes(one).equals(contextBytes(other))).to.equal(false);
  });
});
