import type { Limits } from "../base/limits.ts";
import { asSealwrightError, SealwrightError } from "../base/sealwright-error.ts";
import { ByteGather } from "./byte-gather.ts";
import { emptyBytes } from "./empty-bytes.ts";
import type { JsonGuide, JsonKind, JsonSink, JsonSplicer } from "./json-events.ts";
import { inside, JsonScanner, type ScanVisitor } from "./json-scanner.ts";
import { loneSurrogate } from "./lone-surrogate.ts";
import { SpliceQueue } from "./splice-queue.ts";
import { Utf8Gate } from "./utf8-gate.ts";

export interface JsonSplicerOptions {
  readonly guide: JsonGuide;
  readonly sink: JsonSink;
  readonly limits: Limits;
  /**
   * What a captured value with half a surrogate pair is: `refuse` = `lone_surrogate`, for what is to be sealed (UTF-8 could not
   * give it back); `pass` = the sink's to judge. Default: refuse.
   */
  readonly loneSurrogates?: "refuse" | "pass";
}

/** The value whose bytes the sink wants. */
interface Watch {
  readonly state: number;
  readonly kind: JsonKind;
  readonly position: number;
  readonly capture: boolean;
}

/** A splicer for one body. Order: UTF-8 gate, scanner, this visitor, queue. */
export function createJsonSplicer(options: JsonSplicerOptions): JsonSplicer {
  return new Splicer(options);
}

class Splicer implements JsonSplicer, ScanVisitor {
  readonly #sink: JsonSink;
  readonly #limits: Limits;
  readonly #refusesLoneSurrogates: boolean;
  readonly #scanner: JsonScanner;
  readonly #gate: Utf8Gate;
  readonly #queue = new SpliceQueue();
  readonly #gather = new ByteGather();
  #part = emptyBytes;
  /** Offset in the body of the part's first byte. */
  #base = 0;
  /** First byte of the part that is not in the queue yet. */
  #from = 0;
  #watch: Watch | undefined;
  #values = 0;
  #failure: SealwrightError | undefined;

  constructor({ guide, sink, limits, loneSurrogates = "refuse" }: JsonSplicerOptions) {
    this.#refusesLoneSurrogates = loneSurrogates === "refuse";
    this.#sink = sink;
    this.#limits = limits;
    this.#scanner = new JsonScanner(limits, guide, this);
    this.#gate = new Utf8Gate((bytes, position) => this.#scanPart(bytes, position));
  }

  get heldBytes(): number {
    return this.#queue.heldBytes;
  }

  push(chunk: Buffer): void {
    this.#guard(() => this.#gate.push(chunk));
  }

  end(): void {
    this.#guard(() => {
      this.#gate.end();
      this.#part = emptyBytes;
      this.#base = this.#gate.position;
      this.#from = 0;
      this.#scanner.end(this.#base);
    });
  }

  settle(slot: number, replacement: Buffer | undefined): void {
    this.#queue.settle(slot, replacement);
  }

  take(): Buffer[] {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#queue.take();
  }

  begins(state: number, kind: JsonKind, position: number): number {
    const interest = this.#sink.begin(state, kind, position);
    const isContainer = kind === "object" || kind === "array";
    if (interest === "capture") {
      this.#values += 1;
      if (this.#values > this.#limits.valuesPerBody) throw new SealwrightError("too_many_values", { position });
      this.#passUntil(position - this.#base);
    } else if (interest !== "peek" || isContainer) {
      return interest === "enter" && isContainer ? state : inside.dead;
    }
    this.#watch = { state, kind, position, capture: interest === "capture" };
    return inside.watched;
  }

  ends(position: number): void {
    const watch = this.#watch;
    if (watch === undefined) return;
    const bytes = this.#watched(watch, position - this.#base);
    this.#watch = undefined;
    if (bytes.length > this.#limits.valueBytes) throw tooLarge(watch);
    if (!watch.capture) {
      this.#sink.peeked(watch.state, watch.kind, bytes, watch.position);
      return;
    }
    const half = this.#refusesLoneSurrogates ? loneSurrogate(bytes) : -1;
    if (half >= 0) throw new SealwrightError("lone_surrogate", { position: watch.position + half });
    this.#from = position - this.#base;
    this.#sink.captured(watch.state, watch.kind, bytes, this.#queue.hold(bytes));
  }

  leaves(state: number, kind: "object" | "array", position: number): void {
    this.#sink.leave(state, kind, position);
  }

  #scanPart(part: Buffer, position: number): void {
    this.#part = part;
    this.#base = position;
    this.#from = 0;
    this.#scanner.scan(part, position);
    const watch = this.#watch;
    if (watch !== undefined) {
      if (position + part.length - watch.position > this.#limits.valueBytes) throw tooLarge(watch);
      this.#gather.append(part, Math.max(0, watch.position - position), part.length);
    }
    // A value being captured is in the gather, and goes to the queue from there.
    if (watch?.capture !== true) this.#passUntil(part.length);
  }

  /** The watched value's source text, of which the part's bytes before `end` are the last. */
  #watched(watch: Watch, end: number): Buffer {
    if (watch.position >= this.#base) return this.#part.subarray(watch.position - this.#base, end);
    this.#gather.append(this.#part, 0, end);
    return this.#gather.take();
  }

  #passUntil(end: number): void {
    if (this.#from === 0 && end === this.#part.length) this.#queue.pass(this.#part);
    else this.#queue.pass(this.#part.subarray(this.#from, end));
    this.#from = end;
  }

  #guard(step: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      step();
    } catch (error) {
      this.#failure = this.#explained(asSealwrightError(error));
      throw this.#failure;
    }
  }

  /** The error with its position; or that of a watched value which had become too large before. */
  #explained(error: SealwrightError): SealwrightError {
    const { position } = error.facts;
    if (position === undefined) return error.withFacts({ position: this.#scanner.position });
    const failedAt = error.code === "json_encoding" ? position : this.#scanner.failedAt;
    const watch = this.#watch;
    return watch !== undefined && failedAt - watch.position > this.#limits.valueBytes ? tooLarge(watch) : error;
  }
}

function tooLarge(watch: Watch): SealwrightError {
  return new SealwrightError("value_too_large", { position: watch.position });
}
