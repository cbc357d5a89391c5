import type { ErrorCode } from "../../src/base/error-table.ts";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import type { JsonGuide, JsonSink } from "../../src/codec/json-events.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";

/** Nothing matters anywhere. */
export const deadGuide: JsonGuide = { root: 0, member: () => 0, element: () => 0 };
/** Everything matters everywhere. */
export const liveGuide: JsonGuide = { root: 1, member: () => 1, element: () => 1 };

export const enteringSink: JsonSink = {
  begin: () => "enter",
  peeked: () => undefined,
  captured: () => undefined,
  leave: () => undefined,
};

export const capturingSink: JsonSink = { ...enteringSink, begin: () => "capture" };

export interface ScanSetup {
  readonly guide?: JsonGuide;
  readonly sink?: JsonSink;
  readonly limits?: Partial<Limits>;
}

/** How a body fared: its output when accepted, else the refusal. */
export interface Verdict {
  readonly code: ErrorCode | "accepted";
  readonly position: number | undefined;
  readonly output: Buffer | undefined;
}

/** Scans `body`, cut at the ascending offsets `cuts`; captured values stay as they came. */
export function scan(body: Buffer, cuts: Iterable<number>, setup: ScanSetup = {}): Verdict {
  const sink = setup.sink ?? enteringSink;
  const splicer = createJsonSplicer({
    guide: setup.guide ?? liveGuide,
    limits: { ...defaultLimits, ...setup.limits },
    sink: {
      begin: (state, kind, offset) => sink.begin(state, kind, offset),
      peeked: (state, kind, bytes, offset) => sink.peeked(state, kind, bytes, offset),
      leave: (state, kind, offset) => sink.leave(state, kind, offset),
      captured(state, kind, bytes, slot) {
        sink.captured(state, kind, bytes, slot);
        splicer.settle(slot, undefined);
      },
    },
  });
  const output: Buffer[] = [];
  try {
    for (const chunk of cut(body, cuts)) {
      splicer.push(chunk);
      output.push(...splicer.take());
    }
    splicer.end();
    output.push(...splicer.take());
  } catch (error) {
    if (!(error instanceof SealwrightError)) throw error;
    return { code: error.code, position: error.facts.position, output: undefined };
  }
  return { code: "accepted", position: undefined, output: Buffer.concat(output) };
}

/** `body` in pieces, each in memory of its own, so that nothing can read past a piece's end. */
export function cut(body: Buffer, cuts: Iterable<number>): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const to of [...cuts, body.length]) {
    pieces.push(Buffer.from(body.subarray(from, to)));
    from = to;
  }
  return pieces;
}

/** The offsets that cut a body of `length` bytes into single bytes. */
export function everyByte(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** The offsets that cut a body of `length` bytes every `step` bytes. */
export function everyStep(length: number, step: number): number[] {
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
}

/** Ways of cutting that must not change a verdict: whole, byte by byte, and in two at each of up to `most` places. */
export function* waysToCut(length: number, most = Infinity): Generator<number[]> {
  yield [];
  yield everyByte(length);
  const step = Math.max(1, Math.ceil(length / most));
  for (let at = 1; at < length; at += step) yield [at];
}
