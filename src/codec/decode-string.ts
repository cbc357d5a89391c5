import { SealwrightError } from "../base/sealwright-error.ts";
import { loneSurrogate } from "./lone-surrogate.ts";

/**
 * The text of a scanned JSON string. `source` is its source text, quotes included, as the scanner gave it.
 * Throws `lone_surrogate` when UTF-8 cannot hold the text.
 */
export function decodeJsonString(source: Buffer): string {
  if (!source.includes("\\")) return source.toString("utf8", 1, source.length - 1);
  if (loneSurrogate(source) >= 0) throw new SealwrightError("lone_surrogate");
  const text: unknown = JSON.parse(source.toString("utf8"));
  if (typeof text !== "string") throw new SealwrightError("internal", { reason: "not a JSON string" });
  return text;
}
