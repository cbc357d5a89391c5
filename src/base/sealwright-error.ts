import { errorTable, type ErrorCode, type ErrorRow } from "./error-table.ts";

/**
 * Facts for the operator's log line: where and why, never what. No member may hold a value, a key, a tenant in clear,
 * a header value or a query string.
 */
export interface ErrorFacts {
  /** Why, in words that hold no data: "tag", "unknown key", "expected object". */
  readonly reason?: string;
  /** The field's name as the AAD binds it. */
  readonly field?: string;
  readonly dataset?: string;
  /** Byte offset in the decoded JSON body. */
  readonly position?: number;
  readonly route?: string;
  /** Name of the KEK in the local config. */
  readonly kek?: string;
  /** First 16 hex digits of a data key's id. */
  readonly keyId?: string;
  /** Configuration file, 1-based line and column. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** The one error class: a stable code, the facts for the operator and the cause. Its message is the row's safe text. */
export class SealwrightError extends Error {
  override readonly name = "SealwrightError";
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}, cause?: unknown) {
    super(errorTable[code].text, cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }

  get row(): ErrorRow {
    return errorTable[this.code];
  }

  /** The same failure with more facts, added by a layer that knows them; facts given earlier win. */
  withFacts(more: ErrorFacts): SealwrightError {
    return new SealwrightError(this.code, { ...more, ...this.facts }, this.cause);
  }
}

/** `error` itself when it is ours, else `internal` with it as the cause. */
export function asSealwrightError(error: unknown): SealwrightError {
  return error instanceof SealwrightError ? error : new SealwrightError("internal", {}, error);
}

/** True when `error` is ours and has one of `codes`. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is SealwrightError {
  return error instanceof SealwrightError && codes.includes(error.code);
}
