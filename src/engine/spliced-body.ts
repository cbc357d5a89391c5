import { createJsonSplicer } from "../codec/json-splicer.ts";
import type { JsonGuide, JsonSink, JsonSplicer } from "../codec/json-events.ts";
import type { Limits } from "../base/limits.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import type { BodyRewriter } from "./engine.ts";

/** What is done with the values that the codec captures: sealing, opening, or nothing. */
export interface ValueWork extends JsonSink {
  /** What the codec does with a captured value that holds half a surrogate pair. */
  readonly loneSurrogates: "refuse" | "pass";
  /** Settles every captured value whose record is known, in order; a promise only when a key has to be fetched. */
  settleReady(splicer: JsonSplicer): void | Promise<void>;
  /** The document is complete and valid JSON: last checks of its shape. */
  finish(): void;
  /** A value that another run would have captured and that is left as it came: for counting only. Absent = of no interest. */
  passedOver?(state: number, bytes: Buffer): void;
  /** A captured value waits for its document's record. */
  readonly waitsForRecord: boolean;
  /** Gives keys back and reports counts; `complete` = the body came to its good end. */
  close(complete: boolean): void;
}

/**
 * Drives codec and work over one body. Until a body has grown beyond `limits.wholeBytes` nothing is settled before its end,
 * so a body that is refused costs no key.
 */
export class SplicedBody implements BodyRewriter {
  readonly #splicer: JsonSplicer;
  readonly #work: ValueWork;
  readonly #limits: Limits;
  #received = 0;
  #complete = false;
  #closed = false;

  constructor(guide: JsonGuide, work: ValueWork, limits: Limits) {
    this.#splicer = createJsonSplicer({ guide, sink: work, limits, loneSurrogates: work.loneSurrogates });
    this.#work = work;
    this.#limits = limits;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#received += chunk.length;
    this.#splicer.push(chunk);
    if (this.#received <= this.#limits.wholeBytes) return undefined;
    const settling = this.#work.settleReady(this.#splicer);
    if (settling !== undefined) return settling.then(() => this.#checkWindow());
    this.#checkWindow();
    return undefined;
  }

  end(): void | Promise<void> {
    this.#splicer.end();
    this.#work.finish();
    const settling = this.#work.settleReady(this.#splicer);
    if (settling !== undefined) return settling.then(() => this.#finished());
    this.#finished();
    return undefined;
  }

  take(): Buffer[] {
    return this.#splicer.take();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#work.close(this.#complete);
  }

  #finished(): void {
    this.#complete = true;
  }

  #checkWindow(): void {
    if (this.#work.waitsForRecord && this.#splicer.heldBytes > this.#limits.recordWindow) {
      throw new SealwrightError("record_too_late");
    }
  }
}
