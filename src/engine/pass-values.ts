import type { Interest, JsonKind } from "../codec/json-events.ts";
import type { ValueWork } from "./spliced-body.ts";

/** Requests on a route with `pass: true`: every key is walked, so that the guide can refuse a mapped name; nothing changes. */
export const passValues: ValueWork = Object.freeze({
  loneSurrogates: "pass",
  waitsForRecord: false,
  begin: (_state: number, kind: JsonKind): Interest => (kind === "object" || kind === "array" ? "enter" : "skip"),
  peeked: () => undefined,
  captured: () => undefined,
  leave: () => undefined,
  settleReady: () => undefined,
  finish: () => undefined,
  close: () => undefined,
});
