import { defaultLimits } from "../../base/limits.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import type { JsonGuide, JsonSink } from "../../codec/json-events.ts";
import { createJsonSplicer } from "../../codec/json-splicer.ts";
import { loneSurrogate } from "../../codec/lone-surrogate.ts";

const deadGuide: JsonGuide = Object.freeze({ root: 0, member: () => 0, element: () => 0 });
const deafSink: JsonSink = Object.freeze({
  begin: () => "skip" as const,
  peeked: () => undefined,
  captured: () => undefined,
  leave: () => undefined,
});

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/**
 * The text of the one JSON value that `input` holds, without the space around it (editors and echo leave a line end), read as
 * strictly as on the wire. Throws the json_* codes, `duplicate_key`, `lone_surrogate`, limits.
 */
export function jsonValueText(input: Buffer): Buffer {
  const splicer = createJsonSplicer({ guide: deadGuide, sink: deafSink, limits: defaultLimits });
  splicer.push(input);
  splicer.end();
  let [start, end] = [0, input.length];
  while (start < end && isSpace(input[start])) start += 1;
  while (end > start && isSpace(input[end - 1])) end -= 1;
  const text = input.subarray(start, end);
  if (loneSurrogate(text) >= 0) throw new SealwrightError("lone_surrogate");
  return text;
}

/** Plain text as a JSON string; one line end at its end is not part of it. Throws `json_encoding`. */
export function textAsJson(input: Buffer): Buffer {
  const text = input.toString("utf8");
  if (!Buffer.from(text).equals(input)) throw new SealwrightError("json_encoding");
  return Buffer.from(JSON.stringify(text.replace(/\r?\n$/, "")));
}
