import { foldCase } from "./key-names.ts";
import type { PathSegment } from "./request-path.ts";
import type { RoutePattern } from "./route-pattern.ts";

/** The pattern matches the path. An encoded slash keeps nothing from matching: `slashAllowed` judges it afterwards. */
export function matchesPattern(pattern: RoutePattern, path: readonly PathSegment[]): boolean {
  const { segments, rest } = pattern;
  if (rest === undefined ? segments.length !== path.length : segments.length - 1 > path.length) return false;
  for (let i = 0; i < segments.length; i += 1) {
    const segment = segments[i];
    if (segment === undefined || segment.kind === "rest") continue;
    const text = partOf(pattern, i, path)?.text ?? "";
    if (segment.kind === "literal" ? segment.text !== text : text === "") return false;
  }
  return true;
}

/** Segments of the pattern before its `**` are laid on the path from the front, those behind it from the end. */
function partOf(
  { segments, rest }: RoutePattern,
  index: number,
  path: readonly PathSegment[],
): PathSegment | undefined {
  return path[rest === undefined || index < rest ? index : path.length - segments.length + index];
}

/** Captures by name of a pattern that matches. */
export function capturesOf(pattern: RoutePattern, path: readonly PathSegment[]): ReadonlyMap<string, string> {
  const captures = new Map<string, string>();
  for (const [index, segment] of pattern.segments.entries()) {
    if (segment.kind === "capture") captures.set(segment.name, partOf(pattern, index, path)?.text ?? "");
  }
  return captures;
}

/** Every segment with an encoded slash is taken by one of the captures `allowed`. */
export function slashAllowed(
  pattern: RoutePattern,
  path: readonly PathSegment[],
  allowed: ReadonlySet<string>,
): boolean {
  if (!path.some(({ encodedSlash }) => encodedSlash)) return true;
  const taken = new Set(
    pattern.segments.flatMap((segment, index) => {
      const part = partOf(pattern, index, path);
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
  return Object.freeze({ ...pattern, segments: Object.freeze(segments) });
}
