/** One segment of a request's path, decoded. */
export interface PathSegment {
  readonly text: string;
  /** An encoded slash is among its characters: only a capture that allows it may take it. */
  readonly encodedSlash: boolean;
}

/** A request target's path, or why it is refused in words that hold none of it. */
export type RequestPath =
  | { readonly kind: "path"; readonly segments: readonly PathSegment[] }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Reads the path of a request target (RFC 9112 section 3.2.1, origin form only) and decodes it once. Refused is every spelling
 * that two servers read in two ways: dot segments, empty segments, path parameters, backslashes, encoded control characters,
 * raw non-ASCII, escapes of escapes, and what is not UTF-8.
 */
export function readRequestPath(target: string): RequestPath {
  if (!target.startsWith("/")) return refused("not in origin form");
  if (/[^\u0021-\u007e]/u.test(target)) return refused("raw character outside of printable ASCII");
  if (target.includes("#")) return refused("fragment");
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  if (path.includes("\\")) return refused("backslash");
  if (path.includes(";")) return refused("path parameter");
  const parts = path.slice(1).split("/");
  const segments: PathSegment[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === "" && index < parts.length - 1) return refused("empty segment");
    const segment = readSegment(part);
    if (typeof segment === "string") return refused(segment);
    segments.push(segment);
  }
  return { kind: "path", segments };
}

/** The segment, or why it is refused. */
function readSegment(part: string): PathSegment | string {
  let text = part;
  if (part.includes("%")) {
    try {
      text = decodeURIComponent(part);
    } catch {
      return "malformed escape or not UTF-8";
    }
    if (text.includes("%")) return "escape of an escape";
    if (text.includes("\\")) return "encoded backslash";
    if (/\p{Cc}/u.test(text)) return "encoded control character";
  }
  const pieces = text.split("/");
  const encodedSlash = pieces.length > 1;
  if (pieces.some((piece) => piece === "." || piece === ".." || (encodedSlash && piece === ""))) return "dot segment";
  return { text, encodedSlash };
}

const refused = (reason: string): RequestPath => ({ kind: "refused", reason });
