import { expect } from "chai";
import type { ErrorCode } from "../../src/base/error-table.ts";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";
import {
  capturingSink,
  cut,
  deadGuide,
  enteringSink,
  everyStep,
  liveGuide,
  scan,
  waysToCut,
  type ScanSetup,
} from "./scan-rig.ts";

interface LimitCase {
  readonly limits: Partial<Limits>;
  readonly fits: string;
  readonly over: string;
  readonly code: ErrorCode;
  readonly position: number;
  readonly setup?: ScanSetup;
}

const peeking: ScanSetup = {
  sink: { ...enteringSink, begin: (_state, kind) => (kind === "array" ? "enter" : "peek") },
};
const capturing: ScanSetup = { sink: capturingSink };
const elements: ScanSetup = {
  sink: { ...capturingSink, begin: (_s, _k, offset) => (offset === 0 ? "enter" : "capture") },
};

const cases: Readonly<Record<string, LimitCase>> = {
  depth: { limits: { depth: 3 }, fits: '[{"a":[]}]', over: '[{"a":[[]]}]', code: "json_too_deep", position: 7 },
  keysPerObject: {
    limits: { keysPerObject: 2 },
    fits: '[{"a":1,"b":{"c":1,"d":1}}]',
    over: '[{"a":1,"b":1,"c":1}]',
    code: "too_many_keys",
    position: 14,
  },
  keysPerBody: {
    limits: { keysPerBody: 3 },
    fits: '[{"a":1,"b":1},{"a":1}]',
    over: '[{"a":1,"b":1},{"a":1,"b":1}]',
    code: "too_many_keys",
    position: 22,
  },
  nameBytes: { limits: { nameBytes: 3 }, fits: '{"abc":1}', over: '{"abcd":1}', code: "name_too_long", position: 1 },
  "nameBytes with escapes, as written": {
    limits: { nameBytes: 7 },
    fits: '{"\\u0061b":1}',
    over: '{"\\u0061bc":1}',
    code: "name_too_long",
    position: 1,
  },
  stringBytes: { limits: { stringBytes: 3 }, fits: '["abc"]', over: '["abcd"]', code: "value_too_large", position: 1 },
  "valueBytes, string": {
    limits: { valueBytes: 5 },
    fits: '"abc" ',
    over: '"abcd" ',
    code: "value_too_large",
    position: 0,
    setup: capturing,
  },
  "valueBytes, number": {
    limits: { valueBytes: 5 },
    fits: "[12345]",
    over: "[123456]",
    code: "value_too_large",
    position: 1,
    setup: elements,
  },
  "valueBytes, number at the body's end": {
    limits: { valueBytes: 5 },
    fits: "12345",
    over: "123456",
    code: "value_too_large",
    position: 0,
    setup: capturing,
  },
  "valueBytes, object": {
    limits: { valueBytes: 8 },
    fits: '[{"a":12}]',
    over: '[{"a":123}]',
    code: "value_too_large",
    position: 1,
    setup: elements,
  },
  "valueBytes, peeked": {
    limits: { valueBytes: 5 },
    fits: '["abc"]',
    over: '["abcd"]',
    code: "value_too_large",
    position: 1,
    setup: peeking,
  },
  valuesPerBody: {
    limits: { valuesPerBody: 2 },
    fits: "[1,2]",
    over: "[1,2,3]",
    code: "too_many_values",
    position: 5,
    setup: elements,
  },
};

/** The limit stands before what comes later in the body, however the body is cut. */
const laterOffences = ["", "]", "\0", "\\x"];

describe("codec/limits", () => {
  for (const [name, { limits, fits, over, code, position, setup }] of Object.entries(cases)) {
    it(`${name}: the last that fits passes, one more is ${code}, wherever it is cut`, () => {
      const body = Buffer.from(fits);
      for (const way of waysToCut(body.length))
        expect(scan(body, way, { ...setup, limits }).output).to.deep.equal(body);
      for (const later of laterOffences) {
        const tooMuch = Buffer.from(over + later);
        for (const way of waysToCut(tooMuch.length)) {
          expect(scan(tooMuch, way, { ...setup, limits })).to.include({ code, position });
        }
      }
    });
  }

  it("refuses a value that grew too large before it broke, as the streamed body would", () => {
    for (const broken of [
      '["abcdef\0"]',
      '["abcdef\\q"]',
      "[[1,2,3,4}]",
      '[{"a":1,"a":2}]',
      "[[[[[[[[[[[",
      '["abcdef\xff"]',
    ]) {
      const body = Buffer.from(broken, "latin1");
      for (const way of waysToCut(body.length)) {
        const verdict = scan(body, way, { ...elements, limits: { valueBytes: 6, depth: 8 } });
        expect(verdict).to.include({ code: "value_too_large", position: 1 });
      }
    }
  });

  it("A-05: 100,000 open brackets are refused within 50 ms, live, dead and streamed", () => {
    const body = Buffer.from(`${"[".repeat(100_000)},"ssn":"CANARY"`);
    for (const guide of [liveGuide, deadGuide]) {
      for (const chunks of [[body], cut(body, everyStep(body.length, 64))]) {
        const start = performance.now();
        expect(streamed(chunks, { guide })).to.equal("json_too_deep");
        expect(performance.now() - start).to.be.below(50);
      }
      expect(scan(body, [], { guide })).to.include({ code: "json_too_deep", position: 128 });
    }
  });

  it("holds 100,000 levels where the limit allows them", () => {
    const body = Buffer.from(`${'[{"a":'.repeat(50_000)}0${"}]".repeat(50_000)}`);
    expect(scan(body, [], { limits: { depth: 100_000 } }).output).to.deep.equal(body);
  });

  it("I-05: 50,000 integer-like names take time in proportion to their number", () => {
    const time = (count: number, step: number): number => {
      const body = Buffer.from(`{${Array.from({ length: count }, (_, i) => `"${i * step}":1`).join(",")}}`);
      const runs = Array.from({ length: 5 }, () => {
        const start = performance.now();
        expect(scan(body, [], { limits: { keysPerObject: count } }).code).to.equal("accepted");
        return performance.now() - start;
      });
      return Math.min(...runs);
    };
    for (const step of [1, 1024, 65_536]) expect(time(50_000, step) / time(5_000, step)).to.be.below(60);
  });

  it("1,000,000 names of one object are refused at limits.keysPerObject", () => {
    const body = Buffer.from(`{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":1`).join(",")}}`);
    expect(scan(body, everyStep(body.length, 65_536)).code).to.equal("too_many_keys");
  });

  it("a string of 100 MiB is refused without being held, dead or captured", () => {
    const chunk = Buffer.alloc(64 * 1024, 0x61);
    function* chunks(): Generator<Buffer> {
      yield Buffer.from('"');
      for (let i = 0; i < 1600; i += 1) yield chunk;
    }
    for (const setup of [{ guide: deadGuide }, capturing]) {
      const before = process.memoryUsage().rss;
      expect(streamed(chunks(), setup)).to.equal("value_too_large");
      expect(process.memoryUsage().rss - before).to.be.below(64 * 1024 * 1024);
    }
  });
});

function streamed(
  chunks: Iterable<Buffer>,
  { guide = liveGuide, sink = enteringSink }: ScanSetup,
): ErrorCode | "accepted" {
  const splicer = createJsonSplicer({ guide, sink, limits: defaultLimits });
  try {
    for (const chunk of chunks) {
      splicer.push(chunk);
      splicer.take();
    }
    splicer.end();
  } catch (error) {
    if (error instanceof SealwrightError) return error.code;
    throw error;
  }
  return "accepted";
}
