import { expect } from "chai";
import fc from "fast-check";
import { fromBech32, toBech32 } from "../../src/kms/recovery/bech32.ts";

/** The strings of BIP 173 whose data is whole bytes, in lower case. */
const published = [
  ["a", "", "a12uel5l"],
  ["an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio", "", undefined],
  ["abcdef", "00443214c74254b635cf84653a56d7c675be77df", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"],
] as const;

describe("Bech32", () => {
  it("writes and reads the strings of BIP 173", () => {
    for (const [prefix, hex, text] of published) {
      const bytes = Buffer.from(hex, "hex");
      if (text !== undefined) expect(toBech32(prefix, bytes)).to.equal(text);
      expect(fromBech32(prefix, toBech32(prefix, bytes))?.toString("hex")).to.equal(hex);
    }
    expect(fromBech32("a", "A12UEL5L")).to.have.length(0);
  });

  it("refuses the strings of BIP 173 that are none", () => {
    for (const text of [
      "a12UEL5L",
      "A1G7SGD8",
      "10a06t8",
      "1qzzfhee",
      "pzry9x0s0muk",
      "1pzry9x0s0muk",
      "x1b4n0q5v",
      "li1dgmt3",
    ])
      for (const prefix of ["a", "A", "x", "li", "pzry9x"]) expect(fromBech32(prefix, text), text).to.equal(undefined);
  });

  it("gives back what it wrote, in capitals too, and nothing of what has up to four wrong characters", () => {
    const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uniqueArray(fc.nat(57), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 31 }),
        (bytes, places, shift) => {
          const text = toBech32("swr-recovery-", bytes);
          expect(fromBech32("swr-recovery-", text)?.equals(bytes)).to.equal(true);
          expect(fromBech32("swr-recovery-", text.toUpperCase())?.equals(bytes)).to.equal(true);
          const wrong = Array.from(text);
          for (const place of places) {
            const at = text.length - 1 - place;
            wrong[at] = alphabet[(alphabet.indexOf(text[at] ?? "") + shift) % 32] ?? "";
          }
          expect(fromBech32("swr-recovery-", wrong.join(""))).to.equal(undefined);
        },
      ),
    );
  });

  it("reads nothing under another prefix, nor what is cut short", () => {
    expect(fromBech32("swr-recovery-secret-", toBech32("swr-recovery-", Buffer.alloc(32)))).to.equal(undefined);
    expect(fromBech32("a", "")).to.equal(undefined);
    expect(fromBech32("a", "a1")).to.equal(undefined);
  });
});
