import { brokenMap, type BrokenMapRule } from "./map-rules.ts";

/** One segment of a route's path, the most specific kind first. */
export type PatternSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "capture"; readonly name: string }
  /** Any one segment. */
  | { readonly kind: "any" }
  /** Zero or more segments. */
  | { readonly kind: "rest" };

export interface RoutePattern {
  /** As written. */
  readonly text: string;
  readonly segments: readonly PatternSegment[];
  /** Index of `**`. */
  readonly rest: number | undefined;
}

export type ParsedPattern =
  | { readonly kind: "pattern"; readonly pattern: RoutePattern }
  | { readonly kind: "broken"; readonly character: number; readonly broken: BrokenMapRule };

const captureName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/u;
/** What a decoded path segment never holds, or what a pattern uses for itself. */
const notLiteral = /[{}*%?#;\\\u0000-\u001f\u007f\ud800-\udfff]/u;
const mostSegments = 64;

/** Reads a route's path: decoded text, as the operator would say it. A `/` at its end is a segment that is empty. */
export function parsePattern(text: string): ParsedPattern {
  const broken = (character: number, fix: string): ParsedPattern => ({
    kind: "broken",
    character,
    broken: brokenMap("pattern-form", "The route's path has a form that no request can match.", fix),
  });
  if (!text.startsWith("/")) return broken(0, "Begin it with /.");
  const segments: PatternSegment[] = [];
  const captures = new Set<string>();
  let character = 1;
  const parts = text.slice(1).split("/");
  if (parts.length > mostSegments) return broken(0, `Write at most ${mostSegments} segments.`);
  for (const [index, part] of parts.entries()) {
    const segment = readSegment(part);
    if (typeof segment === "string") return broken(character, segment);
    if (segment.kind === "literal" && part === "" && index < parts.length - 1)
      return broken(character, "Remove the empty segment.");
    if (segment.kind === "capture") {
      if (captures.has(segment.name)) return broken(character, `Give the second {${segment.name}} another name.`);
      captures.add(segment.name);
    }
    if (segment.kind === "rest" && segments.some(({ kind }) => kind === "rest"))
      return broken(character, "Write ** once.");
    segments.push(segment);
    character += part.length + 1;
  }
  const rest = segments.findIndex(({ kind }) => kind === "rest");
  const pattern = { text, segments: Object.freeze(segments), rest: rest === -1 ? undefined : rest };
  return { kind: "pattern", pattern: Object.freeze(pattern) };
}

/** The segment, or what to write instead. */
function readSegment(part: string): PatternSegment | string {
  if (part === "**") return { kind: "rest" };
  if (part === "*") return { kind: "any" };
  if (part.startsWith("{") && part.endsWith("}")) {
    const name = part.slice(1, -1);
    return captureName.test(name) ? { kind: "capture", name } : "Name a capture by letters, digits and _.";
  }
  if (part === "." || part === "..") return "Remove the dot segment: requests that hold one are refused.";
  if (notLiteral.test(part))
    return "Write text without % { } * ? # ; and backslash, or a whole segment {name}, * or **.";
  return { kind: "literal", text: part };
}

/** Names of the pattern's captures. */
export function captureNames(pattern: RoutePattern): string[] {
  return pattern.segments.flatMap((segment) => (segment.kind === "capture" ? [segment.name] : []));
}

const ranks = { literal: 0, capture: 1, any: 2, rest: 3 } as const;

/** Beyond its end a pattern without `**` says more than one that goes on with `**`; one with `**` says less than one that goes on. */
const endRank = ({ rest }: RoutePattern): number => (rest === undefined ? -1 : 4);

/**
 * Below zero when `a` is more specific than `b`: the first segment that differs in kind decides. Zero = the same kinds in the
 * same order; two such patterns match the same paths, or their literals keep them apart.
 */
export function compareSpecificity(a: RoutePattern, b: RoutePattern): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let i = 0; i < length; i += 1) {
    const [left, right] = [a.segments[i], b.segments[i]];
    const difference = (left ? ranks[left.kind] : endRank(a)) - (right ? ranks[right.kind] : endRank(b));
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Equal for two patterns that match the same paths with the same precedence: a tie unless their methods differ. */
export function patternShape(pattern: RoutePattern): string {
  return JSON.stringify(
    pattern.segments.map((segment) => (segment.kind === "literal" ? `=${segment.text}` : segment.kind)),
  );
}
