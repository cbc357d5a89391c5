import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { DataKey } from "../../src/crypto/data-key.ts";
import { SealingTerm } from "../../src/keys/sealing-term.ts";
import { sealingOf } from "../rig/keyring-rig.ts";

const budget = 1000;

describe("sealing term", () => {
  const limits = { age: 10_000, values: 2, bytes: 1_000_000 };
  const newKey = (): DataKey => DataKey.fromBytes(randomBytes(32));
  const seal = (key: DataKey): void =>
    void key.seal(sealingOf({ tenant: "t", dataset: "d" }), { form: "keyring", shortId: key.shortId });

  it("counts the outage budget from when the age was reached, not from when somebody looked", () => {
    const [key, term] = [newKey(), new SealingTerm(limits, 0)];
    expect(term.stateOf(key, 1)).to.equal("open");
    term.postpone(10_400, true);
    expect(term.stateOf(key, 10_400)).to.equal("closed");
    expect(term.isCovered(10_999, budget)).to.equal(true);
    expect(term.isCovered(11_000, budget)).to.equal(false);
    expect(term.darkAt(budget)).to.equal(11_000);
  });

  it("counts it from the last use where values have run out, however long nobody looked", () => {
    const [key, term] = [newKey(), new SealingTerm(limits, 0)];
    term.stateOf(key, 100);
    seal(key);
    seal(key);
    expect(term.stateOf(key, 5000)).to.equal("closed");
    term.postpone(5000, true);
    expect(term.isCovered(5000, budget)).to.equal(false);
  });

  it("covers nothing while the key service can be reached", () => {
    const [key, term] = [newKey(), new SealingTerm(limits, 0)];
    expect(term.stateOf(key, 10_000)).to.equal("closed");
    expect(term.isCovered(10_001, budget)).to.equal(false);
    term.postpone(10_001, false);
    expect(term.isCovered(10_001, budget)).to.equal(false);
  });
});
