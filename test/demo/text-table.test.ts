import { expect } from "chai";

import { columns, inkFor } from "../../src/app/demo/text-table.ts";

describe("text table", () => {
  const rows = [
    [{ text: "ssn" }, { text: "🫀 heart" }, { text: "end" }],
    [{ text: "fullName" }, { text: "Ada" }, { text: "x" }],
  ];

  it("makes every column as wide as its widest cell, emoji counted as two", () => {
    expect(columns(["member", "sent", ""], rows, inkFor(false))).to.deep.equal([
      "member    sent",
      "ssn       🫀 heart  end",
      "fullName  Ada       x",
    ]);
  });

  it("adds nothing but colour codes where colours are on", () => {
    const ink = inkFor(true);
    const painted = rows.map((row) => row.map((cell) => ({ ...cell, paint: ink.green })));
    const plain = columns(["a", "b", "c"], painted, ink).map((line) => line.replaceAll(/\u001b\[\d+m/g, "").trimEnd());
    expect(plain).to.deep.equal(columns(["a", "b", "c"], rows, inkFor(false)));
  });
});
