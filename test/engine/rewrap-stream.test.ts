import { expect } from "chai";
import fc from "fast-check";
import { defaultLimits } from "../../src/base/limits.ts";
import { formatSealedValue } from "../../src/crypto/sealed-value.ts";
import type { InlineReference, SealedValue } from "../../src/crypto/types.ts";
import { createRewrapStream, type StreamShape } from "../../src/engine/create-stream.ts";
import { streamStart, type StreamMark } from "../../src/engine/stream-rewriter.ts";
import type { InlineWraps } from "../../src/keys/life-cycle/inline-rewrap.ts";

const value = (fill: number, wrapped: Buffer): SealedValue => ({
  suite: 1,
  recordBound: fill % 2 === 0,
  rawBytes: false,
  key: { form: "inline", id: Buffer.alloc(32, fill), kek: "main", wrapped },
  body: Buffer.alloc(50 + fill, fill),
});
const oldText = (fill: number): string => formatSealedValue(value(fill, Buffer.alloc(20 + fill, 1)));
/** Of another length, so that a mark's place in the output is no guess. */
const newText = (fill: number): string => formatSealedValue(value(fill, Buffer.alloc(33 + 2 * fill, 2)));
const renewedKey = (reference: InlineReference): InlineReference => ({
  ...reference,
  wrapped: Buffer.alloc(33 + 2 * (reference.id[0] ?? 0), 2),
});

/** Answers at once, or after a while the first time. */
class FakeWraps implements InlineWraps {
  readonly #slow: boolean;
  readonly #known = new Map<number, InlineReference>();
  asked = 0;

  constructor(slow: boolean) {
    this.#slow = slow;
  }

  renewed(reference: InlineReference): InlineReference | Promise<InlineReference> {
    const fill = reference.id[0] ?? 0;
    const known = this.#known.get(fill);
    if (known !== undefined) return known;
    this.asked += 1;
    const fresh = { ...renewedKey(reference), id: Buffer.from(reference.id) };
    if (!this.#slow) return fresh;
    return new Promise((resolve) =>
      setImmediate(() => {
        this.#known.set(fill, fresh);
        resolve(fresh);
      }),
    );
  }
}

interface Rewrapped {
  readonly text: string;
  readonly marks: readonly StreamMark[];
}

async function rewrap(input: string, wraps: InlineWraps, chunkBytes: number, shape: StreamShape): Promise<Rewrapped> {
  const bytes = Buffer.from(input);
  const stream = createRewrapStream(wraps, { limits: defaultLimits }, shape);
  const [out, marks]: [Buffer[], StreamMark[]] = [[], []];
  try {
    for (let at = stream.readFrom; at < bytes.length; at += chunkBytes) {
      await stream.write(bytes.subarray(at, at + chunkBytes));
      out.push(...stream.take());
      marks.push(stream.mark);
    }
    await stream.end();
    out.push(...stream.take());
  } finally {
    stream.close();
  }
  return { text: Buffer.concat(out).toString(), marks };
}

const fills = fc.integer({ min: 1, max: 12 });
/** A template: `<n>` stands for the value of that number. */
const leaf = fc.oneof(
  fills.map((fill) => `"<${fill}>"`),
  fc.constantFrom("1.50", '"swr1.x"', '"é\\u0041"', "null", '"text <1 and more"'),
);
const document = fc
  .tuple(fc.array(leaf, { maxLength: 4 }), leaf, fc.constantFrom("", " ", "\t"))
  .map(([list, one, space]) => `{"a":${space}[${list.join(`,${space}`)}],"b":{"c":${one}}}`);
const filled = (template: string, text: (fill: number) => string): string =>
  template.replaceAll(/<(\d+)>/g, (_, fill: string) => text(Number(fill)));

describe("rewrapped streams", () => {
  const documents = fc.array(document, { minLength: 1, maxLength: 7 });

  it("change the wraps of inline values and nothing else, and go on from any mark", () =>
    fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 20, max: 900 }), fc.boolean(), async (list, chunkBytes, slow) => {
        const texts: readonly (readonly [StreamShape["framing"], string])[] = [
          ["lines", `${list.join("\r\n")}\n`],
          ["document", `[ ${list.join(" ,\n")}]\n`],
          ["document", `{"rows":[${list.join(",")}]}`],
        ];
        for (const [framing, template] of texts) {
          const [input, expected] = [filled(template, oldText), filled(template, newText)];
          const whole = await rewrap(input, new FakeWraps(slow), chunkBytes, { framing, start: streamStart });
          expect(whole.text).to.equal(expected);
          for (const start of new Map(whole.marks.map((mark) => [mark.input, mark])).values()) {
            const rest = await rewrap(input, new FakeWraps(slow), chunkBytes, { framing, start });
            expect(Buffer.from(expected).subarray(0, start.output).toString() + rest.text).to.equal(expected);
          }
        }
      }),
      { numRuns: 25 },
    ));

  it("mark the documents of an array at the root", async () => {
    const { marks } = await rewrap('[{"a":{"b":1}},{"c":[{}]}]', new FakeWraps(false), 5, {
      framing: "document",
      start: streamStart,
    });
    expect(new Set(marks.map(({ documents: count }) => count))).to.deep.equal(new Set([0, 1, 2]));
  });
});
