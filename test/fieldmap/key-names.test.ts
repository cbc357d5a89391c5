import { expect } from "chai";
import fc from "fast-check";
import { hasCode, type SealwrightError } from "../../src/base/sealwright-error.ts";
import { foldCase, NameTable, type NamePolicy } from "../../src/fieldmap/key-names.ts";
import { passGuide } from "../../src/fieldmap/pass-guide.ts";

const codeOf = (task: () => unknown): string => {
  try {
    return String(task());
  } catch (error) {
    return hasCode(error, "name_case", "mapped_name", "json_invalid")
      ? (error satisfies SealwrightError).code
      : "other";
  }
};

/** A name as written between quotes, plain or with every character escaped. */
const written = (name: string, escaped: boolean): Buffer =>
  Buffer.from(
    escaped
      ? Array.from({ length: name.length }, (_, i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")
      : JSON.stringify(name).slice(1, -1),
    "utf8",
  );

const find = (names: readonly string[], policy: NamePolicy, name: string, escaped = false): string => {
  const table = new NameTable(new Map(names.map((one, index) => [one, index])), policy);
  const bytes = Buffer.concat([Buffer.from("xx"), written(name, escaped), Buffer.from('": 1')]);
  return codeOf(() => table.find(bytes, 2, bytes.length - 4, bytes.includes(0x5c)));
};

describe("folding case", () => {
  it("joins what upper or lower case joins, for every character", () => {
    const byUpper = new Map<string, string>();
    const byLower = new Map<string, string>();
    for (let point = 0; point <= 0x1ffff; point += 1) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const character = String.fromCodePoint(point);
      const folded = foldCase(character);
      for (const [groups, key] of [
        [byUpper, character.toUpperCase()],
        [byLower, character.toLowerCase()],
      ] as const) {
        const known = groups.get(key);
        if (known !== undefined && known !== folded) expect.fail(`U+${point.toString(16)} folds apart from its group`);
        groups.set(key, folded);
      }
    }
  });

  it("settles in one pass for names of plain letters", () => {
    expect(["SSN", "Ssn", "ſsn", "ssn"].map(foldCase)).to.deep.equal(["ssn", "ssn", "ssn", "ssn"]);
    expect(foldCase("\u212a")).to.equal("k");
    expect([foldCase("STRASSE"), foldCase("straße")]).to.deep.equal(["strasse", "strasse"]);
  });
});

describe("a table of names", () => {
  const names = ["ssn", "größe", "a\nb", ""];

  it("finds exact names in any spelling of JSON", () => {
    for (const policy of ["exact", "refuseVariants", "ignoreCase"] as const) {
      for (const [index, name] of names.entries()) {
        expect(find(names, policy, name), name).to.equal(String(index));
        expect(find(names, policy, name, true), name).to.equal(String(index));
      }
      for (const other of ["ss", "ssnn", "szn", "größ", "ab", "x"]) expect(find(names, policy, other)).to.equal("-1");
    }
  });

  it("does with case variants what the policy says, in any spelling", () => {
    for (const variant of ["SSN", "Ssn", "s\u017fn", "GRÖSSE", "GRÖßE", "A\nB"]) {
      for (const escaped of [false, true]) {
        expect(find(names, "exact", variant, escaped), variant).to.equal("-1");
        expect(find(names, "refuseVariants", variant, escaped), variant).to.equal("name_case");
        expect(find(names, "ignoreCase", variant, escaped), variant).to.match(/^[012]$/);
      }
    }
  });

  it("takes look-alikes for other names", () => {
    for (const other of ["ｓｓｎ", "ѕѕn", "ssn\u200b", "ssn ", "gro\u0308ße"]) {
      expect(find(names, "refuseVariants", other), other).to.equal("-1");
      expect(find(names, "ignoreCase", other), other).to.equal("-1");
    }
  });

  it("prefers the exact name where both cases are mapped", () => {
    expect(["ssn", "SSN", "Ssn"].map((name) => find(["ssn", "SSN"], "refuseVariants", name))).to.deep.equal([
      "0",
      "1",
      "name_case",
    ]);
  });

  it("agrees with a comparison of decoded and folded names", () => {
    const character = fc.constantFrom(...Array.from('abKSk\u017f\u212aß\u1e9eıİéÉσςΣ"\\/\n𐐀𐐨'));
    const name = fc.string({ unit: character, maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 4 }), name, fc.boolean(), (list, key, escaped) => {
        const exact = list.indexOf(key);
        const folded = list.findIndex((one) => foldCase(one) === foldCase(key));
        expect(find(list, "exact", key, escaped)).to.equal(String(exact));
        expect(find(list, "ignoreCase", key, escaped)).to.equal(String(folded));
        const strict = exact !== -1 ? String(exact) : folded !== -1 ? "name_case" : "-1";
        expect(find(list, "refuseVariants", key, escaped)).to.equal(strict);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses a name that is no JSON string", () => {
    const table = new NameTable(new Map([["a", 1]]), "exact");
    expect(codeOf(() => table.find(Buffer.from("\\x"), 0, 2, true))).to.equal("json_invalid");
  });
});

describe("a guide for requests that pass", () => {
  const guide = passGuide(["ssn", "phone"], "refuseVariants");
  const meet = (name: string, escaped = false): string => {
    const bytes = written(name, escaped);
    return codeOf(() => guide.member(guide.root, bytes, 0, bytes.length, bytes.includes(0x5c)));
  };

  it("refuses mapped names in any spelling, and their case variants", () => {
    expect([meet("ssn"), meet("ssn", true), meet("phone")]).to.deep.equal([
      "mapped_name",
      "mapped_name",
      "mapped_name",
    ]);
    expect([meet("SSN"), meet("Phone", true)]).to.deep.equal(["name_case", "name_case"]);
  });

  it("refuses them as a part of a dotted path", () => {
    for (const name of ["contacts.phone", "phone.x", "a.ssn.b", "$.ssn", "a\\.ssn"])
      expect(meet(name), name).to.equal("mapped_name");
    expect(meet("contacts.PHONE")).to.equal("name_case");
  });

  it("lets every other name pass, however deep", () => {
    for (const name of ["", "s", "ssn2", "telephone", "a.b", "..", "ｓｓｎ"]) expect(meet(name), name).to.equal("1");
    expect(guide.element(1, 7)).to.equal(1);
  });

  it("takes case variants for mapped names under ignoreCase", () => {
    const lax = passGuide(["ssn"], "ignoreCase");
    expect(codeOf(() => lax.member(1, Buffer.from("a.SSN"), 0, 5, false))).to.equal("mapped_name");
    expect(codeOf(() => lax.member(1, Buffer.from("Ssn"), 0, 3, false))).to.equal("mapped_name");
  });
});
