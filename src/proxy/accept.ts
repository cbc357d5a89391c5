import { withoutSpace } from "./header-lines.ts";

const wildcards: ReadonlySet<string> = new Set(["*/*", "application/*"]);

const isJsonRange = (range: string): boolean =>
  range === "application/json" || (range.includes("/") && range.endsWith("+json"));

/**
 * True when the `Accept` lines are absent or admit JSON only by a wildcard (RFC 9110 section 12.5.1): then an upstream might
 * choose a type that cannot be opened, and JSON is asked for instead.
 */
export function needsJsonAsked(accept: readonly string[]): boolean {
  if (accept.length === 0) return true;
  const ranges = accept
    .join(",")
    .split(",")
    .filter((part) => !/;[ \t]*q=0(?:\.0*)?[ \t]*(?:;|$)/i.test(part))
    .map((part) => withoutSpace(part.split(";", 1)[0] ?? "").toLowerCase());
  return !ranges.some(isJsonRange) && ranges.some((range) => wildcards.has(range));
}
