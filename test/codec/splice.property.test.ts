import { expect } from "chai";
import fc from "fast-check";
import { defaultLimits } from "../../src/base/limits.ts";
import type { Interest, JsonKind } from "../../src/codec/json-events.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";
import { cutFractions, cutsOf, documentText, wellFormedString } from "./json-arbitrary.ts";
import { allValues, readJson, type ReadValue } from "./reference-reader.ts";
import { cut, liveGuide } from "./scan-rig.ts";

/** What the sink hears, in one shape for the expected and the real. */
interface Heard {
  readonly call: string;
  readonly kind: JsonKind;
  readonly offset: number;
  readonly bytes: string;
}

/** By a value's place in document order: what the sink wants of it. */
type Wishes = readonly Interest[];

interface Expected {
  readonly calls: readonly Heard[];
  readonly output: Buffer;
}

const replacementFor = (source: Buffer): Buffer | undefined =>
  source.length % 3 === 0 ? undefined : Buffer.from(`<${source.toString("base64")}>`);

/** The whole by the reference reader: calls in order, and the body with the captured values replaced. */
function expected(body: Buffer, wishes: Wishes): Expected {
  const calls: Heard[] = [];
  const output: Buffer[] = [];
  let from = 0;
  const order = new Map([...allValues(readJson(body))].map((value, i) => [value.start, i]));
  const visit = (value: ReadValue): void => {
    const { kind, start, end } = value;
    const wish = wishes[(order.get(start) ?? 0) % wishes.length];
    const source = body.subarray(start, end);
    const isContainer = kind === "object" || kind === "array";
    calls.push({ call: "begin", kind, offset: start, bytes: "" });
    if (wish === "capture") {
      calls.push({ call: "captured", kind, offset: start, bytes: source.toString() });
      output.push(body.subarray(from, start), replacementFor(source) ?? source);
      from = end;
    } else if (wish === "peek" && !isContainer) {
      calls.push({ call: "peeked", kind, offset: start, bytes: source.toString() });
    } else if (wish === "enter" && isContainer) {
      value.children.forEach(visit);
      calls.push({ call: "leave", kind, offset: end - 1, bytes: "" });
    }
  };
  visit(readJson(body));
  return { calls, output: Buffer.concat([...output, body.subarray(from)]) };
}

/** The same by the splicer; `late` settles every slot only at the end, last one first. */
function spliced(chunks: readonly Buffer[], wishOf: (offset: number) => Interest, late: boolean): Expected {
  const calls: Heard[] = [];
  const output: Buffer[] = [];
  const open: (() => void)[] = [];
  let begun = 0;
  const splicer = createJsonSplicer({
    guide: liveGuide,
    limits: defaultLimits,
    sink: {
      begin(_state, kind, offset) {
        begun = offset;
        calls.push({ call: "begin", kind, offset, bytes: "" });
        return wishOf(offset);
      },
      peeked: (_state, kind, bytes, offset) => calls.push({ call: "peeked", kind, offset, bytes: bytes.toString() }),
      captured(_state, kind, bytes, slot) {
        calls.push({ call: "captured", kind, offset: begun, bytes: bytes.toString() });
        const settle = (): void => splicer.settle(slot, replacementFor(bytes));
        if (late) open.unshift(settle);
        else settle();
      },
      leave: (_state, kind, offset) => calls.push({ call: "leave", kind, offset, bytes: "" }),
    },
  });
  for (const chunk of chunks) {
    splicer.push(chunk);
    output.push(...splicer.take());
    if (open.length === 0) expect(splicer.heldBytes).to.equal(0);
  }
  splicer.end();
  for (const settle of open) settle();
  output.push(...splicer.take());
  expect(splicer.heldBytes).to.equal(0);
  return { calls, output: Buffer.concat(output) };
}

describe("codec/splice, any captures at any chunking", () => {
  const wishes = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constant<Interest>("enter") },
      { weight: 3, arbitrary: fc.constantFrom<Interest[]>("capture", "peek", "skip") },
    ),
    { minLength: 1, maxLength: 9 },
  );

  it("calls the sink and replaces values as an independent reader says", () => {
    fc.assert(
      fc.property(
        documentText(wellFormedString, false),
        wishes,
        cutFractions,
        fc.boolean(),
        (text, wish, fractions, late) => {
          const body = Buffer.from(text);
          const order = new Map([...allValues(readJson(body))].map((value, i) => [value.start, i]));
          const wishOf = (offset: number): Interest => wish[(order.get(offset) ?? 0) % wish.length] ?? "skip";
          const wanted = expected(body, wish);
          expect(spliced(cut(body, cutsOf(body.length, fractions)), wishOf, late)).to.deep.equal(wanted);
          expect(
            spliced(
              cut(
                body,
                Array.from(body, (_, i) => i),
              ),
              wishOf,
              late,
            ),
          ).to.deep.equal(wanted);
        },
      ),
      { numRuns: 600 },
    );
  });
});
