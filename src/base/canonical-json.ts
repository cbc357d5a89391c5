import { SealwrightError } from "./sealwright-error.ts";

/**
 * The canonical JSON text of a whole value (RFC 8785): members sorted by UTF-16 code units, numbers and strings as ECMAScript
 * prints them, no white space. The caller encodes it as UTF-8.
 * Throws `lone_surrogate` for text that UTF-8 cannot hold, `internal` for what is no JSON value (undefined, NaN, a Date).
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "string") return canonicalJsonString(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (isPlainObject(value)) {
    // The default order of sort() is by UTF-16 code units, which is what RFC 8785 section 3.2.3 asks for.
    const members = Object.keys(value)
      .sort()
      .map((name) => `${canonicalJsonString(name)}:${canonicalJson(value[name])}`);
    return `{${members.join(",")}}`;
  }
  throw new SealwrightError("internal", { reason: `no JSON value: ${typeof value}` });
}

/** The canonical JSON text of one string, quotes included (RFC 8785 section 3.2.2.2). Throws `lone_surrogate`. */
export function canonicalJsonString(text: string): string {
  // JSON.stringify would print a lone surrogate as an escape; RFC 8785 forbids it.
  if (!text.isWellFormed()) throw new SealwrightError("lone_surrogate");
  return JSON.stringify(text);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
