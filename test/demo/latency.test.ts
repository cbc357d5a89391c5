import { expect } from "chai";
import fc from "fast-check";

import { percentiles } from "../../src/app/demo/latency.ts";

describe("latency percentiles", () => {
  it("are the nearest ranks, in any order", () => {
    const times = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(times)).to.deep.equal({ p50: 50, p99: 99 });
    expect(percentiles([7])).to.deep.equal({ p50: 7, p99: 7 });
  });

  it("are always measured times", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (times) => {
        const { p50, p99 } = percentiles(times);
        return times.includes(p50) && times.includes(p99) && p50 <= p99;
      }),
    );
  });
});
