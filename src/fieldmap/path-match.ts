import { foldCase } from "./key-names.ts";
import type { PathSegment } from "./request-path.ts";
import type { PatternSegment, RoutePattern } from "./route-pattern.ts";

/** The segments that the pattern's own take, in order, `**` left out; `undefined` when the pattern does not match. */
function align(pattern: RoutePattern, path: readonly PathSegment[]): readonly PathSegment[] | undefined {
  const { segments } = pattern;
  const rest = segments.findIndex(({ kind }) => kind === "rest");
  if (rest === -1) return segments.length === path.length ? path : undefined;
  const tail = segments.length - rest - 1;
  if (path.length < rest + tail) return undefined;
  return [...path.slice(0, rest), ...path.slice(path.length - tail)];
}

function takes(segment: PatternSegment, part: PathSegment): boolean {
  return segment.kind === "literal" ? segment.text === part.text : part.text !== "";
}

const ownSegments = (pattern: RoutePattern): readonly PatternSegment[] =>
  pattern.segments.filter(({ kind }) => kind !== "rest");

/** The pattern matches the path. An encoded slash keeps nothing from matching: `slashAllowed` judges it afterwards. */
export function matchesPattern(pattern: RoutePattern, path: readonly PathSegment[]): boolean {
  const aligned = align(pattern, path);
  if (aligned === undefined) return false;
  return ownSegments(pattern).every((segment, index) => {
    const part = aligned[index];
    return part !== undefined && takes(segment, part);
  });
}

/** Captures by name of a pattern that matches. */
export function capturesOf(pattern: RoutePattern, path: readonly PathSegment[]): ReadonlyMap<string, string> {
  const aligned = align(pattern, path) ?? [];
  return new Map(
    ownSegments(pattern).flatMap((segment, index) =>
      segment.kind === "capture" ? [[segment.name, aligned[index]?.text ?? ""] as const] : [],
    ),
  );
}

/** Every segment with an encoded slash is taken by one of the captures `allowed`. */
export function slashAllowed(
  pattern: RoutePattern,
  path: readonly PathSegment[],
  allowed: ReadonlySet<string>,
): boolean {
  if (!path.some(({ encodedSlash }) => encodedSlash)) return true;
  const aligned = align(pattern, path) ?? [];
  const taken = new Set(
    ownSegments(pattern).flatMap((segment, index) => {
      const part = aligned[index];
      return part !== undefined && segment.kind === "capture" && allowed.has(segment.name) ? [part] : [];
    }),
  );
  return path.every((part) => !part.encodedSlash || taken.has(part));
}

/** A path as somebody reads it who does not tell upper case from lower. */
export function foldedPath(path: readonly PathSegment[]): PathSegment[] {
  return path.map((part) => ({ ...part, text: foldCase(part.text) }));
}

/** The pattern for folded paths. */
export function foldedPattern(pattern: RoutePattern): RoutePattern {
  const segments = pattern.segments.map((segment) =>
    segment.kind === "literal" ? { ...segment, text: foldCase(segment.text) } : segment,
  );
  return Object.freeze({ text: pattern.text, segments: Object.freeze(segments) });
}
