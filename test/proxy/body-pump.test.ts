import { expect } from "chai";
import fc from "fast-check";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { BodyPump } from "../../src/proxy/body-pump.ts";
import type { BodyStage } from "../../src/proxy/body-stage.ts";

/** Takes some chunks at once and others later; notes every breach of the stage's contract. */
class PickyStage implements BodyStage {
  readonly taken: string[] = [];
  readonly breaches: string[] = [];
  closed = 0;
  ended = false;
  #busy = false;
  readonly #waits: readonly number[];
  readonly #failAt: number;

  constructor(waits: readonly number[], failAt: number) {
    this.#waits = waits;
    this.#failAt = failAt;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#enter("write");
    const index = this.taken.push(chunk.toString()) - 1;
    return this.#settle(this.#waits[index % this.#waits.length] ?? 0, index === this.#failAt);
  }

  end(): void | Promise<void> {
    this.#enter("end");
    this.ended = true;
    return this.#settle(this.#waits[0] ?? 0, false);
  }

  close(): void {
    this.closed += 1;
  }

  #enter(what: string): void {
    if (this.#busy || this.closed > 0 || this.ended) this.breaches.push(what);
  }

  #settle(turns: number, fails: boolean): void | Promise<void> {
    if (turns === 0) {
      if (fails) throw new SealwrightError("json_invalid");
      return undefined;
    }
    this.#busy = true;
    return this.#later(turns, fails);
  }

  async #later(turns: number, fails: boolean): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    this.#busy = false;
    if (fails) throw new SealwrightError("json_invalid");
  }
}

class Source {
  paused = false;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

const run = fc.record({
  chunks: fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 12 }),
  waits: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
  failAt: fc.integer({ min: -1, max: 14 }),
  gaps: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
});

describe("a body pump", () => {
  it("keeps order, one chunk at a time, ends once, closes once, and resumes what it paused", async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ chunks, waits, failAt, gaps }) => {
        const stage = new PickyStage(waits, failAt);
        const source = new Source();
        let failures = 0;
        const pump = new BodyPump(stage, source, () => void (failures += 1));
        for (const [index, chunk] of chunks.entries()) {
          pump.push(Buffer.from(chunk));
          for (let turn = 0; turn < (gaps[index % gaps.length] ?? 0); turn++) await Promise.resolve();
        }
        const early = chunks.length % 2 === 0;
        if (early) pump.end();
        await new Promise((settle) => setImmediate(settle));
        if (!early) {
          expect(source.paused && failures === 0).to.equal(false);
          pump.end();
          await new Promise((settle) => setImmediate(settle));
        }
        const fails = failAt >= 0 && failAt < chunks.length;
        expect(stage.breaches).to.deep.equal([]);
        expect(stage.taken).to.deep.equal(fails ? chunks.slice(0, failAt + 1) : chunks);
        expect([failures, stage.closed, stage.ended]).to.deep.equal(fails ? [1, 1, false] : [0, 1, true]);
      }),
      { numRuns: 300 },
    );
  });
});
