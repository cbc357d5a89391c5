import { withoutSpace } from "./header-lines.ts";

/** A media type (RFC 9110 section 8.3.1): type and parameter names in lower case. */
export interface MediaType {
  readonly essence: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const plainJson: MediaType = Object.freeze({ essence: "application/json", parameters: new Map() });

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const essencePattern = new RegExp(`^(${token}/${token})[ \\t]*(?:;|$)`);
// The space behind a parameter belongs to it: two runs of space that could share one run would take quadratic time.
const parameterPattern = new RegExp(
  `[ \\t]*(?:(${token})=(?:(${token})|"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*)")[ \\t]*)?(?:;|$)`,
  "y",
);

/** Reads `text` strictly: `undefined` when it is malformed or names a parameter twice. */
export function parseMediaType(text: string): MediaType | undefined {
  if (text === "application/json") return plainJson;
  const trimmed = withoutSpace(text);
  const head = essencePattern.exec(trimmed);
  if (head?.[1] === undefined) return undefined;
  const parameters = new Map<string, string>();
  const pattern = new RegExp(parameterPattern);
  pattern.lastIndex = head[0].length;
  while (pattern.lastIndex < trimmed.length) {
    const match = pattern.exec(trimmed);
    if (match === null) return undefined;
    const name = match[1]?.toLowerCase();
    if (name === undefined) continue;
    if (parameters.has(name)) return undefined;
    parameters.set(name, match[2] ?? (match[3] ?? "").replace(/\\(.)/g, "$1"));
  }
  return { essence: head[1].toLowerCase(), parameters };
}

/**
 * JSON is UTF-8 (RFC 8259 section 8.1); another charset would make other text of the same bytes. A charset in an extended or
 * continued spelling (`charset*`, `charset*0`) is one to some readers and none to others.
 */
function isUtf8(type: MediaType): boolean {
  for (const name of type.parameters.keys()) {
    if (name.startsWith("charset*")) return false;
  }
  return (type.parameters.get("charset") ?? "utf-8").toLowerCase() === "utf-8";
}

const requestJson: ReadonlySet<string> = new Set([
  "application/json",
  "application/problem+json",
  "application/hal+json",
  "application/fhir+json",
  "application/ld+json",
  "application/merge-patch+json",
]);

const isVendorJson = (essence: string): boolean => essence.startsWith("application/vnd.") && essence.endsWith("+json");

/** What a request body may be: an allow-list, since some `+json` types are not one document that says what it holds. */
export function isRequestJson(type: MediaType): boolean {
  return (requestJson.has(type.essence) || isVendorJson(type.essence)) && isUtf8(type);
}

/** What an answer may be that is opened: JSON and every `+json`, but patches, whose values sit at no path. */
export function isResponseJson(type: MediaType): boolean {
  const json = type.essence === "application/json" || type.essence.endsWith("+json");
  return json && type.essence !== "application/json-patch+json" && isUtf8(type);
}

export const isMergePatch = (type: MediaType): boolean => type.essence === "application/merge-patch+json";
