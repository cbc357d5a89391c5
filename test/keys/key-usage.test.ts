import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { KeyUsage } from "../../src/keys/usage/key-usage.ts";
import { FakeClock } from "../rig/fake-clock.ts";

describe("key usage", () => {
  const id = (byte: number): Buffer => Buffer.alloc(32, byte);

  it("counts by key, with the time of the last use of each kind", async () => {
    const clock = new FakeClock();
    const usage = new KeyUsage(clock);
    usage.sealed(usage.of(id(1)), 3);
    await clock.pass(1000);
    usage.opened(usage.of(id(1)), 2);
    usage.opened(usage.of(id(2)), 0);
    expect(usage.report()).to.deep.equal({
      keys: {
        [id(1).toString("hex")]: {
          sealed: 3,
          opened: 2,
          lastSealed: "2026-11-25T00:00:00.000Z",
          lastOpened: "2026-11-25T00:00:01.000Z",
        },
      },
      other: { sealed: 0, opened: 0 },
    });
  });

  it("goes on from a former report", () => {
    const [former, usage] = [new KeyUsage(new FakeClock()), new KeyUsage(new FakeClock())];
    former.sealed(former.of(id(1)), 3);
    usage.add(former.report());
    usage.add({ keys: {}, other: { sealed: 1, opened: 2 } });
    usage.sealed(usage.of(id(1)), 4);
    expect(usage.report().keys[id(1).toString("hex")]?.sealed).to.equal(7);
    expect(usage.report().other).to.deep.equal({ sealed: 1, opened: 2 });
  });

  it("never holds more keys than its bound, and loses no count", async () => {
    const clock = new FakeClock();
    const usage = new KeyUsage(clock, 10);
    const held = usage.of(id(0));
    usage.sealed(held, 1);
    for (let index = 1; index < 50; index += 1) {
      await clock.pass(1);
      usage.sealed(usage.of(randomBytes(32)), 1);
    }
    // Its borrower comes late, when the key has no count of its own any more.
    usage.sealed(held, 5);
    const { keys, other } = usage.report();
    expect(Object.keys(keys)).to.have.length(10);
    expect(Object.keys(keys)).not.to.include(id(0).toString("hex"));
    const sum = Object.values(keys).reduce((total, { sealed }) => total + sealed, 0);
    expect(sum + other.sealed).to.equal(55);
  });
});
