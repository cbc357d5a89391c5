import { ascii } from "./ascii.ts";
import { fourDigits } from "./name-text.ts";

/** One half of a surrogate pair, escaped, as a code unit; -1 when none stands at `at`. */
function escapedHalf(source: Uint8Array, at: number): number {
  if (source[at] !== ascii.backslash || source[at + 1] !== ascii.u) return -1;
  // Every half begins with the digit d.
  if (((source[at + 2] ?? 0) | 0x20) !== 0x64) return -1;
  const unit = fourDigits(source, at + 2);
  return unit >= 0xd800 && unit <= 0xdfff ? unit : -1;
}

/**
 * Offset of the first escape in a scanned value's source text that is one half of a surrogate pair without the other;
 * -1 = none. Backslashes stand in strings only, so the value may be of any kind.
 */
export function loneSurrogate(source: Buffer): number {
  let at = source.indexOf(ascii.backslash);
  // Byte by byte from here: a value may be nothing but escapes, and a call for each would hold up everybody.
  while (at >= 0 && at < source.length) {
    if (source[at] !== ascii.backslash) {
      at += 1;
      continue;
    }
    const half = escapedHalf(source, at);
    if (half < 0) {
      // Of a `\u` escape the digits are left; they hold no backslash.
      at += 2;
      continue;
    }
    if (half >= 0xdc00 || escapedHalf(source, at + 6) < 0xdc00) return at;
    at += 12;
  }
  return -1;
}
