import { expect } from "chai";
import fc from "fast-check";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { SpliceQueue } from "../../src/codec/splice-queue.ts";

const text = (buffers: readonly Buffer[]): string => Buffer.concat(buffers).toString();

describe("codec/splice queue", () => {
  it("lets chunks leave uncopied", () => {
    const queue = new SpliceQueue();
    const chunk = Buffer.from("chunk");
    queue.pass(chunk);
    expect(queue.take()[0]).to.equal(chunk);
    expect(queue.take()).to.be.empty;
  });

  it("holds what stands behind an unsettled slot and counts it", () => {
    const queue = new SpliceQueue();
    queue.pass(Buffer.from("ab"));
    const first = queue.hold(Buffer.from("123"));
    queue.pass(Buffer.from("cd"));
    const second = queue.hold(Buffer.from("45"));
    queue.pass(Buffer.from("ef"));
    expect(queue.heldBytes).to.equal(9);
    expect(text(queue.take())).to.equal("ab");
    queue.settle(second, Buffer.from("SECOND"));
    expect(text(queue.take())).to.equal("");
    expect(queue.heldBytes).to.equal(13);
    queue.settle(first, undefined);
    expect(queue.heldBytes).to.equal(0);
    expect(text(queue.take())).to.equal("123cdSECONDef");
  });

  it("refuses a slot that was settled or never given", () => {
    const queue = new SpliceQueue();
    const slot = queue.hold(Buffer.from("1"));
    queue.settle(slot, undefined);
    for (const wrong of [slot, slot + 1, -1]) {
      expect(() => queue.settle(wrong, undefined))
        .to.throw()
        .and.satisfy((error: unknown) => hasCode(error, "internal"));
    }
    queue.take();
    expect(() => queue.settle(slot, undefined))
      .to.throw()
      .and.satisfy((error: unknown) => hasCode(error, "internal"));
  });

  it("puts small chunks together while they wait", () => {
    const queue = new SpliceQueue();
    const slot = queue.hold(Buffer.from("1"));
    for (let i = 0; i < 10_000; i += 1) queue.pass(Buffer.from("x"));
    queue.pass(Buffer.alloc(600, "y"));
    queue.pass(Buffer.from("z"));
    expect(queue.heldBytes).to.equal(10_602);
    queue.settle(slot, Buffer.from("2"));
    const out = queue.take();
    expect(out).to.have.lengthOf(4);
    expect(text(out)).to.equal(`2${"x".repeat(10_000)}${"y".repeat(600)}z`);
  });

  it("gives the pieces in order whatever is settled and taken when", () => {
    const step = fc.record({
      call: fc.constantFrom("pass", "hold", "settle", "take"),
      pick: fc.nat(),
      big: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new SpliceQueue();
        const open: number[] = [];
        const expected: string[] = [];
        const places = new Map<number, number>();
        let out = "";
        steps.forEach(({ call, pick, big }, i) => {
          const bytes = Buffer.alloc(big ? 600 : 1 + (pick % 9), 0x61 + (i % 26));
          if (call === "pass") {
            expected.push(bytes.toString());
            queue.pass(bytes);
          } else if (call === "hold") {
            const slot = queue.hold(bytes);
            places.set(slot, expected.push(bytes.toString()) - 1);
            open.push(slot);
          } else if (call === "settle") {
            const [slot] = open.splice(pick % Math.max(1, open.length), 1);
            if (slot === undefined) return;
            if (big) expected[places.get(slot) ?? 0] = `<${slot}>`;
            queue.settle(slot, big ? Buffer.from(`<${slot}>`) : undefined);
          } else out += text(queue.take());
          const firstOpen = Math.min(...open.map((slot) => places.get(slot) ?? 0), expected.length);
          expect(queue.heldBytes).to.equal(expected.slice(firstOpen).join("").length);
        });
        for (const slot of open) queue.settle(slot, undefined);
        expect(out + text(queue.take())).to.equal(expected.join(""));
      }),
      { numRuns: 300 },
    );
  });
});
