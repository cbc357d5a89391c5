import { expect } from "chai";
import fc from "fast-check";

import { SealwrightError } from "../../src/base/sealwright-error.ts";
import type { BodyStage } from "../../src/proxy/body-stage.ts";
import { PacedBody } from "../../src/proxy/paced-body.ts";

/** A stage that takes `msPerKiB` of a clock that only it moves. */
class TimedStage implements BodyStage {
  readonly taken: Buffer[] = [];
  readonly clock = { monotonicMs: () => this.now };
  readonly #msPerKiB: number;
  now = 0;
  closed = 0;

  constructor(msPerKiB: number) {
    this.#msPerKiB = msPerKiB;
  }

  write(chunk: Buffer): void {
    this.taken.push(Buffer.from(chunk));
    this.now += (chunk.length / 1024) * this.#msPerKiB;
  }

  end(): void {
    this.taken.push(Buffer.from("end"));
  }

  close(): void {
    this.closed += 1;
  }
}

describe("a paced body", () => {
  it("hands on every byte in order, however long the work takes", async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20_000 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.double({ min: 0, max: 20, noNaN: true }), async (parts, msPerKiB) => {
        const stage = new TimedStage(msPerKiB);
        const paced = new PacedBody(stage, stage.clock);
        for (const part of parts) await paced.write(Buffer.from(part));
        await paced.end();
        paced.close();
        expect(Buffer.concat(stage.taken)).to.deep.equal(Buffer.concat([...parts, Buffer.from("end")]));
        expect(stage.closed).to.equal(1);
      }),
      { numRuns: 50 },
    );
  });

  it("lets others run between slices of a body that takes long", async () => {
    const stage = new TimedStage(20);
    const paced = new PacedBody(stage, stage.clock);
    let turns = 0;
    let over = false;
    const others = (): void => {
      turns += 1;
      if (!over) setImmediate(others);
    };
    setImmediate(others);
    await paced.write(Buffer.alloc(64 * 1024));
    over = true;
    expect(turns).to.be.above(20);
    expect(Math.max(...stage.taken.slice(2).map((slice) => slice.length))).to.be.at.most(1024);
  });

  it("goes through synchronously and whole where there is little to do", async () => {
    const stage = new TimedStage(0);
    const paced = new PacedBody(stage, stage.clock);
    expect(paced.write(Buffer.alloc(1024))).to.equal(undefined);
    await paced.write(Buffer.alloc(256 * 1024));
    stage.taken.length = 0;
    expect(paced.write(Buffer.alloc(64 * 1024))).to.equal(undefined);
    expect(stage.taken).to.have.length(1);
  });

  it("stops at a failure and at close", async () => {
    const stage = new TimedStage(20);
    const failing = new PacedBody(
      {
        write: () => {
          throw new SealwrightError("json_invalid");
        },
        end: () => undefined,
        close: () => undefined,
      },
      stage.clock,
    );
    const failure = await Promise.resolve(failing.write(Buffer.alloc(9_000))).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(SealwrightError).with.property("code", "json_invalid");

    const paced = new PacedBody(stage, stage.clock);
    const busy = paced.write(Buffer.alloc(64 * 1024));
    paced.close();
    await busy;
    expect(stage.taken).to.have.length(1);
  });
});
