import { expect } from "chai";
import fc from "fast-check";
import type { KeyringWrap } from "../../src/keys/keyring/keyring-file.ts";
import { editedWraps, type WrapEdits } from "../../src/keys/life-cycle/wrap-edits.ts";

const keks = ["a", "b", "c", "d"];
const wrap = fc.record({ kek: fc.constantFrom(...keks), wrapped: fc.constantFrom("1", "2") });
const wraps = fc.uniqueArray(wrap, { selector: ({ kek }) => kek, maxLength: 4 });
const edits: fc.Arbitrary<WrapEdits> = fc.record({
  replaced: fc.array(fc.record({ old: wrap, wrapped: fc.constant("3") }), { maxLength: 3 }),
  added: fc.uniqueArray(wrap, { selector: ({ kek }) => kek, maxLength: 2 }),
  dropped: fc.array(fc.record({ old: wrap, relying: wrap }), { maxLength: 2 }),
});
const text = ({ kek, wrapped }: KeyringWrap): string => `${kek}${wrapped}`;

describe("edits of wraps", () => {
  it("apply to whatever stands there: never two of a KEK, never a drop without what it relies on", () => {
    fc.assert(
      fc.property(wraps, edits, (standing, edit) => {
        // Who plans a drop relies on another KEK's wrap.
        const dropped = edit.dropped.filter(({ old, relying }) => old.kek !== relying.kek).slice(0, 1);
        const after = editedWraps(standing, { ...edit, dropped }, keks);
        expect(new Set(after.map(({ kek }) => kek)).size).to.equal(after.length);
        if (standing.length === 0) expect(after).to.deep.equal([]);
        else expect(after).not.to.deep.equal([]);
        const gone = standing.filter(({ kek }) => after.every((each) => each.kek !== kek));
        for (const each of gone) {
          const { relying } = dropped.find(({ old }) => text(old) === text(each))!;
          expect(after.map(text)).to.include(text(relying));
        }
        const order = after.map(({ kek }) => keks.indexOf(kek));
        expect(order).to.deep.equal(order.toSorted((x, y) => x - y));
      }),
    );
  });

  it("leave alone what somebody else has changed meanwhile", () => {
    const standing = [{ kek: "a", wrapped: "new" }];
    const old = { kek: "a", wrapped: "old" };
    const edit = { replaced: [{ old, wrapped: "mine" }], added: [{ kek: "a", wrapped: "mine" }], dropped: [] };
    expect(editedWraps(standing, edit, ["a"])).to.deep.equal(standing);
  });
});
