import { expect } from "chai";
import fc from "fast-check";
import { newestFirst } from "../../src/keys/keyring/entry-order.ts";
import { dueRotation } from "../../src/keys/life-cycle/rotation-plan.ts";
import { longestLagMs, simulateFleet, type FleetPlan } from "./fleet-simulation.ts";

const minute = 60_000;
const day = 86_400_000;

/** Numbers in [0, 1) from a seed: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const fleet = (more: Partial<FleetPlan> & { readonly seed: number }): FleetPlan => ({
  days: 200,
  periodMs: 60 * minute,
  sidecars: 5,
  everyMs: 7 * day,
  spreadMs: 10 * minute,
  skewsMs: [0],
  random: seeded(more.seed),
  ...more,
});

describe("rotation plan", () => {
  it("breaks ties of age by the higher id", () => {
    const ids = ["01", "03", "02"].map((id) => ({ id, createdAt: "2026-01-01T00:00:00Z" }));
    expect(ids.sort(newestFirst).map(({ id }) => id)).to.deep.equal(["03", "02", "01"]);
  });

  it("finds nothing due in an empty keyring", () => {
    const due = dueRotation([], { nowMs: 0, everyMs: 1, spreadMs: 1 });
    expect(due).to.deep.equal({ activate: [], close: [], renew: [] });
  });

  it("lets no sidecar meet a key that it has not read, over 200 days of lagging mounts and clocks that differ", function () {
    this.timeout(20_000);
    let activations = 0;
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.integer({ min: -2 * minute, max: 2 * minute }), { minLength: 1, maxLength: 3 }),
        (seed, days, skewsMs) => {
          const report = simulateFleet(fleet({ seed, everyMs: days * day, skewsMs }));
          activations += report.activations;
          expect(report).to.include({ unreadable: 0, silent: 0 });
          expect(report.closed).to.be.within(report.activations - 1, report.activations);
          // Neither a second deterministic key sealing, nor any change of the first.
          expect([...report.deterministicStates].sort()).to.deep.equal(["0000 active", "0000 pending"]);
        },
      ),
      { numRuns: 25 },
    );
    expect(activations).to.be.greaterThan(100);
  });

  it("would let them meet one if keys spread for less time than mounts lag", () => {
    const hasty = { days: 2, periodMs: minute, everyMs: 60 * minute };
    expect(simulateFleet(fleet({ ...hasty, seed: 1, spreadMs: 0 })).unreadable).to.be.greaterThan(0);
    expect(simulateFleet(fleet({ ...hasty, seed: 1, spreadMs: longestLagMs + minute })).unreadable).to.equal(0);
  });
});
