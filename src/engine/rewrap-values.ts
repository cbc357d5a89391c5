import type { Interest, JsonGuide, JsonKind, JsonSplicer } from "../codec/json-events.ts";
import { decodeJsonString } from "../codec/decode-string.ts";
import { hasCode, SealwrightError } from "../base/sealwright-error.ts";
import { formatSealedValue, parseSealedValue, sealedPrefix } from "../crypto/sealed-value.ts";
import type { InlineReference, SealedValue } from "../crypto/types.ts";
import type { InlineWraps } from "../keys/life-cycle/inline-rewrap.ts";
import type { KeepFailed } from "./engine-context.ts";
import type { ValueWork } from "./spliced-body.ts";

/** States of the walk: everything is live; of an array at the root each object is a document. */
const states = Object.freeze({ root: 1, element: 2, inner: 3 });

/** Leads to every string of a JSON text. */
export const everywhere: JsonGuide = Object.freeze({
  root: states.root,
  member: () => states.inner,
  element: (state: number) => (state === states.root ? states.element : states.inner),
});

/** What of that walk is a document. */
export const everyDocument = Object.freeze({
  facts: (state: number) => ({ document: state === states.root || state === states.element }),
});

interface CapturedText {
  readonly slot: number;
  readonly value: SealedValue;
  readonly key: InlineReference;
  readonly position: number;
}

const quotedPrefix = Buffer.from(`"${sealedPrefix}`, "latin1");
const backslash = 0x5c;

/**
 * Renews the key part of every inline value, wherever it stands; nothing else of it changes: neither key id nor wrap is part of
 * what its body is authenticated with, but the id is compared before a wrap is used.
 */
export class RewrapValues implements ValueWork {
  readonly loneSurrogates = "pass";
  readonly #wraps: InlineWraps;
  readonly #keepFailed: KeepFailed | undefined;
  #waiting: CapturedText[] = [];
  #plain: number[] = [];
  #capturedAt = 0;

  constructor(wraps: InlineWraps, keepFailed: KeepFailed | undefined) {
    this.#wraps = wraps;
    this.#keepFailed = keepFailed;
  }

  get waitsForRecord(): boolean {
    return false;
  }

  begin(_state: number, kind: JsonKind, offset: number): Interest {
    if (kind === "object" || kind === "array") return "enter";
    if (kind !== "string") return "skip";
    this.#capturedAt = offset;
    return "capture";
  }

  peeked(): void {
    // Nothing is looked at that is not captured.
  }

  captured(_state: number, _kind: JsonKind, bytes: Buffer, slot: number): void {
    const value = sealedIn(bytes);
    if (value?.key.form === "inline") this.#waiting.push({ slot, value, key: value.key, position: this.#capturedAt });
    else this.#plain.push(slot);
  }

  leave(): void {
    // All containers are alike.
  }

  settleReady(splicer: JsonSplicer): void | Promise<void> {
    for (const slot of this.#plain) splicer.settle(slot, undefined);
    this.#plain = [];
    const waiting: CapturedText[] = [];
    const asked: Promise<unknown>[] = [];
    for (const each of this.#waiting) {
      const answer = this.#answered(each);
      if (answer instanceof Promise) {
        waiting.push(each);
        asked.push(answer);
      } else splicer.settle(each.slot, answer);
    }
    this.#waiting = waiting;
    // Failures show when they are asked for again.
    return asked.length === 0 ? undefined : Promise.allSettled(asked).then(() => this.#again(splicer, asked));
  }

  finish(): void {
    // Any JSON text may hold sealed values.
  }

  close(): void {
    this.#waiting = [];
  }

  /** Only what is remembered as failed answers at once the next time; everything else ends here. */
  async #again(splicer: JsonSplicer, asked: readonly Promise<unknown>[]): Promise<void> {
    for (const each of asked) {
      await each.catch((error: unknown) => {
        if (!hasCode(error, "open_failed")) throw error;
      });
    }
    return this.settleReady(splicer);
  }

  #answered({ value, key, position }: CapturedText): Buffer | Promise<unknown> | undefined {
    try {
      const fresh = this.#wraps.renewed(key);
      if (fresh instanceof Promise) return fresh;
      return fresh === key ? undefined : Buffer.from(`"${formatSealedValue({ ...value, key: fresh })}"`, "latin1");
    } catch (error) {
      if (!(error instanceof SealwrightError)) throw error;
      const placed = error.withFacts({ position, keyId: key.id.toString("hex", 0, 8) });
      if (hasCode(error, "open_failed") && this.#keepFailed?.(placed) === true) return undefined;
      throw placed;
    }
  }
}

/** The sealed value that a JSON string is, however it is escaped. */
function sealedIn(source: Buffer): SealedValue | undefined {
  const plain = source.subarray(0, quotedPrefix.length).equals(quotedPrefix);
  if (!plain && !source.subarray(0, 6 * quotedPrefix.length).includes(backslash)) return undefined;
  try {
    return parseSealedValue(decodeJsonString(source));
  } catch (error) {
    if (hasCode(error, "lone_surrogate")) return undefined;
    throw error;
  }
}
