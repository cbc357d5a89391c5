import { ascii } from "./ascii.ts";

/** A `\u` escape as a code unit; -1 when no such escape stands at `at`. */
function escapedUnit(source: Buffer, at: number): number {
  if (source[at] !== ascii.backslash || source[at + 1] !== ascii.u) return -1;
  return Number.parseInt(source.toString("latin1", at + 2, at + 6), 16);
}

/**
 * Offset of the first escape in a scanned value's source text that is one half of a surrogate pair without the other;
 * -1 = none. Backslashes stand in strings only, so the value may be of any kind.
 */
export function loneSurrogate(source: Buffer): number {
  let at = source.indexOf(ascii.backslash);
  while (at >= 0) {
    const unit = escapedUnit(source, at);
    let next = at + (unit < 0 ? 2 : 6);
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const low = unit < 0xdc00 ? escapedUnit(source, next) : -1;
      if (low < 0xdc00 || low > 0xdfff) return at;
      next += 6;
    }
    at = source.indexOf(ascii.backslash, next);
  }
  return -1;
}
