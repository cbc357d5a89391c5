import type { RecordRule } from "../fieldmap/types.ts";
import type { JsonKind } from "../codec/json-events.ts";
import { decodeJsonString } from "../codec/decode-string.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

/**
 * Where a document's record stands while it is walked:
 * `waiting` a source may still come; `known` one is present; `absent` none is; `conflict` two that differ.
 */
export type RecordState = "waiting" | "known" | "absent" | "conflict";

const integerText = /^(?:0|-?[1-9][0-9]*)$/;

/**
 * The record's text from a JSON value's source text. `undefined` = absent (null, empty string).
 * Throws `record_invalid` for what has no single spelling: fractions, exponents, -0, booleans, lone surrogates.
 */
export function recordText(kind: JsonKind, source: Buffer): string | undefined {
  if (kind === "null") return undefined;
  if (kind === "number") {
    const text = source.toString("latin1");
    if (integerText.test(text)) return text;
  }
  if (kind === "string") {
    try {
      const text = decodeJsonString(source);
      return text === "" ? undefined : text;
    } catch (error) {
      throw new SealwrightError("record_invalid", { reason: "lone surrogate" }, error);
    }
  }
  throw new SealwrightError("record_invalid", { reason: kind });
}

/** One document's record: sources make their claims in document order; all that are present must agree. */
export class RecordClaim {
  #state: RecordState;
  #record: string | undefined;

  constructor(rule: RecordRule, captures: ReadonlyMap<string, string>) {
    const documentMayTell = rule.sources.some((source) => source.kind === "document");
    this.#state = documentMayTell ? "waiting" : "absent";
    for (const source of rule.sources) {
      if (source.kind === "path") this.claim(captures.get(source.capture));
    }
  }

  get state(): RecordState {
    return this.#state;
  }

  /** The record's text; only when `known`. */
  get record(): string | undefined {
    return this.#record;
  }

  /** A source's text; `undefined` or empty = that source is absent. */
  claim(text: string | undefined): void {
    if (text === undefined || text === "" || this.#state === "conflict") return;
    if (this.#state === "known" && text !== this.#record) {
      this.#state = "conflict";
      return;
    }
    this.#record = text;
    this.#state = "known";
  }

  /** No more sources can come. */
  finish(): void {
    if (this.#state === "waiting") this.#state = "absent";
  }
}
