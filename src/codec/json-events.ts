/** How the JSON codec speaks with whoever knows the policy: it knows offsets and callbacks, not keys or maps. */

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

/**
 * Port: walks beside the scanner and tells it which parts of the document matter. States are small integers; 0 is dead:
 * nothing at or below that value matters, and the scanner asks no more until it has left it.
 */
export interface JsonGuide {
  /** State of the root value. */
  readonly root: number;
  /**
   * State of an object's member. `bytes[start, end)` is the name as written between the quotes, valid UTF-8; `escaped` says
   * that it holds a backslash. Called for each member of a live object. May throw a SealwrightError to refuse the body.
   */
  member(state: number, bytes: Buffer, start: number, end: number, escaped: boolean): number;
  /** State of an array's element, index from 0. */
  element(state: number, index: number): number;
}

/** What the sink wants of a value that begins. */
export type Interest =
  /** Nothing: its inside is dead. */
  | "skip"
  /** Walk its children; a scalar is the same as skip. `leave` follows for containers. */
  | "enter"
  /** The whole value's bytes, for looking only (`peeked`); it leaves as it came. Scalars only. */
  | "peek"
  /** The whole value's bytes, to be settled (`captured`): output stops before it until then. Its inside is not walked. */
  | "capture";

/** Port: hears of every value in a live state, in document order. Offsets count bytes of the whole body from 0. */
export interface JsonSink {
  begin(state: number, kind: JsonKind, offset: number): Interest;
  /** `bytes` = the value's source text; valid only during the call (copy to keep). */
  peeked(state: number, kind: JsonKind, bytes: Buffer, offset: number): void;
  /** `bytes` = the value's source text, safe to keep until settled. `slot` goes to `JsonSplicer.settle`. */
  captured(state: number, kind: JsonKind, bytes: Buffer, slot: number): void;
  /** An entered object or array ended. */
  leave(state: number, kind: "object" | "array", offset: number): void;
}

/** The codec as the engine drives it. One document, once. Any throw ends it. */
export interface JsonSplicer {
  /** Scans `chunk`; the sink's callbacks run inside. Throws the json_* and limit codes with `position` in the facts. */
  push(chunk: Buffer): void;
  /** The body is complete. Throws when the document is not. */
  end(): void;
  /** Puts `replacement` in the captured value's place; `undefined` leaves the value as it came. */
  settle(slot: number, replacement: Buffer | undefined): void;
  /** What may leave now, in order: everything before the first unsettled slot. Chunks are not copied. */
  take(): Buffer[];
  /** Bytes held back behind the first unsettled slot. */
  readonly heldBytes: number;
}
