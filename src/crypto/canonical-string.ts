import { isUtf8 } from "node:buffer";
import { canonicalJsonString } from "../base/canonical-json.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

/**
 * The RFC 8785 form of one JSON string, from its source text (quotes included, UTF-8) to the same: what suite 2 seals, so that
 * two spellings of one string give one sealed value. Canonical text comes back as it is.
 * Throws `field_type` for another kind of value, `json_invalid`, `json_encoding`, `lone_surrogate`.
 */
export function canonicalString(source: Buffer): Buffer {
  // Decoding would turn every invalid byte into the same U+FFFD, and so two values into one.
  if (!isUtf8(source)) throw new SealwrightError("json_encoding");
  const value = parse(source.toString("utf8"));
  if (typeof value !== "string") throw new SealwrightError("field_type");
  return Buffer.from(canonicalJsonString(value), "utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error quotes the text, so it is not kept as the cause.
    throw new SealwrightError("json_invalid");
  }
}
