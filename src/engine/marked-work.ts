import type { Interest, JsonKind, JsonSplicer } from "../codec/json-events.ts";
import type { ValueWork } from "./spliced-body.ts";
import type { StreamMark } from "./stream-rewriter.ts";

/** Which states of a walk are documents. */
export interface Documents {
  facts(state: number): { readonly document: boolean };
}

interface Capture {
  readonly position: number;
  readonly length: number;
}

/**
 * Work on one long JSON text that knows where documents end and how many bytes have left until there. Values before the mark at
 * which it starts were done by an earlier run: they are walked, so that shapes and records are known, and left.
 */
export class MarkedWork implements ValueWork {
  readonly #inner: ValueWork;
  readonly #plan: Documents;
  readonly #start: StreamMark;
  readonly #unsettled = new Map<number, Capture>();
  #capturedAt = 0;
  /** Where the value before the start stands that is looked at now. */
  #passedAt = -1;
  /** Documents entered and not left. */
  #depth = 0;
  #documents = 0;
  /** Where the last outermost document ended; growth of the output up to there and after it. */
  #endedAt: number;
  #grownBefore = 0;
  #grownAfter = 0;
  #marked: StreamMark;
  readonly #settling = new WeakMap<JsonSplicer, JsonSplicer>();

  constructor(inner: ValueWork, plan: Documents, start: StreamMark) {
    this.#inner = inner;
    this.#plan = plan;
    this.#start = start;
    this.#endedAt = start.input;
    this.#marked = start;
  }

  get loneSurrogates(): "refuse" | "pass" {
    return this.#inner.loneSurrogates;
  }

  get waitsForRecord(): boolean {
    return this.#inner.waitsForRecord;
  }

  /** The last end of a document before which every value is settled. */
  get mark(): StreamMark {
    for (const { position } of this.#unsettled.values()) if (position < this.#endedAt) return this.#marked;
    if (this.#endedAt > this.#marked.input)
      this.#marked = {
        input: this.#endedAt,
        output: this.#start.output + (this.#endedAt - this.#start.input) + this.#grownBefore,
        documents: this.#documents,
        lines: 0,
      };
    return this.#marked;
  }

  begin(state: number, kind: JsonKind, offset: number): Interest {
    const interest = this.#inner.begin(state, kind, offset);
    if (interest === "capture") {
      if (offset < this.#start.input) return this.#passedOver(offset);
      this.#capturedAt = offset;
    } else if (interest === "enter" && kind === "object" && this.#plan.facts(state).document) this.#depth += 1;
    return interest;
  }

  peeked(state: number, kind: JsonKind, bytes: Buffer, offset: number): void {
    if (offset === this.#passedAt) this.#inner.passedOver?.(state, bytes);
    else this.#inner.peeked(state, kind, bytes, offset);
  }

  captured(state: number, kind: JsonKind, bytes: Buffer, slot: number): void {
    this.#unsettled.set(slot, { position: this.#capturedAt, length: bytes.length });
    this.#inner.captured(state, kind, bytes, slot);
  }

  leave(state: number, kind: "object" | "array", offset: number): void {
    this.#inner.leave(state, kind, offset);
    if (kind !== "object" || !this.#plan.facts(state).document) return;
    this.#depth -= 1;
    if (this.#depth > 0) return;
    this.#documents += 1;
    // Before the start every document's end was a mark of its own already.
    if (offset + 1 <= this.#endedAt) return;
    this.#endedAt = offset + 1;
    // Whatever has been captured so far stands before this end.
    this.#grownBefore += this.#grownAfter;
    this.#grownAfter = 0;
  }

  finish(): void {
    this.#inner.finish();
  }

  settleReady(splicer: JsonSplicer): void | Promise<void> {
    return this.#inner.settleReady(this.#watched(splicer));
  }

  close(complete: boolean): void {
    this.#inner.close(complete);
  }

  #passedOver(offset: number): Interest {
    if (this.#inner.passedOver === undefined) return "skip";
    this.#passedAt = offset;
    return "peek";
  }

  #watched(splicer: JsonSplicer): JsonSplicer {
    const known = this.#settling.get(splicer);
    if (known !== undefined) return known;
    const watched: JsonSplicer = {
      push: (chunk) => splicer.push(chunk),
      end: () => splicer.end(),
      take: () => splicer.take(),
      get heldBytes() {
        return splicer.heldBytes;
      },
      settle: (slot, replacement) => {
        this.#settled(slot, replacement);
        splicer.settle(slot, replacement);
      },
    };
    this.#settling.set(splicer, watched);
    return watched;
  }

  #settled(slot: number, replacement: Buffer | undefined): void {
    const capture = this.#unsettled.get(slot);
    if (capture === undefined) return;
    this.#unsettled.delete(slot);
    const growth = replacement === undefined ? 0 : replacement.length - capture.length;
    if (capture.position < this.#endedAt) this.#grownBefore += growth;
    else this.#grownAfter += growth;
  }
}
