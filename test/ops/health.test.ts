import { expect } from "chai";
import { Health } from "../../src/ops/health.ts";

describe("health", () => {
  it("is ready when no check has a reason against it", () => {
    const health = new Health();
    const state = { reason: undefined as string | undefined };
    health.addCheck("keys", () => state.reason);
    expect(health.readiness()).to.deep.equal({ ready: true, reasons: [], notes: [] });
    state.reason = "outage";
    expect(health.readiness().ready).to.equal(false);
    expect(health.readiness().reasons).to.deep.equal([{ check: "keys", reason: "outage" }]);
    state.reason = undefined;
    expect(health.readiness().ready).to.equal(true);
  });
});
