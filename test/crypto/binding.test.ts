import { expect } from "chai";
import fc from "fast-check";
import { additionalData } from "../../src/crypto/binding.ts";
import { codeOf } from "./code-of.ts";
import { referenceAad, referenceKeyId } from "./reference.ts";

const dek = "07".repeat(32);
const keyId = Buffer.from(referenceKeyId(dek), "hex");
const header = { suite: 1, form: 0x11, keyId } as const;
const name = fc.string({ unit: "grapheme", maxLength: 30 }).filter((text) => text.isWellFormed());
const names = fc.record({ tenant: name, dataset: name, field: name, record: name });

describe("the AAD", () => {
  it("is the bytes that the grammar says", () => {
    const aad = additionalData(header, { tenant: "t1", dataset: "p", field: "ssn", record: "é" }).toString("hex");
    expect(aad).to.equal(
      `0000000d${Buffer.from("sealwright/v1").toString("hex")}` +
        `0110${keyId.toString("hex")}` +
        "000000027431" +
        "0000000170" +
        "0000000373736e" +
        "00000002c3a9",
    );
  });

  it("leaves the form's low nibble out", () => {
    const binding = { tenant: "t1", dataset: "p", field: "ssn", record: undefined };
    const inline = additionalData({ ...header, form: 0x21 }, binding);
    expect(inline.equals(additionalData({ ...header, form: 0x20 }, binding))).to.equal(true);
    expect(inline.equals(additionalData({ ...header, form: 0x00 }, binding))).to.equal(false);
  });

  it("agrees with the second implementation on any names", () => {
    fc.assert(
      fc.property(names, (binding) => {
        const expected = referenceAad({ ...binding, dek, suite: 1, form: 0x11, plaintext: "" });
        expect(additionalData(header, binding).toString("hex")).to.equal(expected);
      }),
    );
  });

  it("differs for any two bindings that differ", () => {
    fc.assert(
      fc.property(names, names, (one, other) => {
        const same = Object.entries(one).every(([member, text]) => other[member as keyof typeof other] === text);
        expect(additionalData(header, one).equals(additionalData(header, other))).to.equal(same);
      }),
    );
  });

  it("is refused for names that UTF-8 cannot hold", () => {
    const binding = { tenant: "t1", dataset: "p", field: "ssn", record: "\udfff" };
    expect(codeOf(() => additionalData(header, binding))).to.equal("internal");
  });
});
