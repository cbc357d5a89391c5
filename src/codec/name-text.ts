import { ascii } from "./ascii.ts";

const shortEscapes = new Uint8Array(256);
for (const [letter, meaning] of Object.entries({
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
}))
  shortEscapes[letter.charCodeAt(0)] = meaning.charCodeAt(0);

const hexValue = (digit: number): number => (digit <= 0x39 ? digit - 0x30 : (digit | 0x20) - 0x57);

/** The code unit of a scanned `\u` escape whose first digit stands at `at`. */
export const fourDigits = (bytes: Uint8Array, at: number): number => {
  let unit = 0;
  for (let i = at; i < at + 4; i += 1) unit = (unit << 4) | hexValue(bytes[i] as number);
  return unit;
};

const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
const isLow = (unit: number): boolean => (unit & 0xfc00) === 0xdc00;

/** Writes one code point as UTF-8, a lone surrogate as the three bytes it would have; gives the offset after it. */
function writeCodePoint(point: number, into: Uint8Array, at: number): number {
  let i = at;
  if (point < 0x80) {
    into[i++] = point;
    return i;
  }
  if (point < 0x800) into[i++] = 0xc0 | (point >> 6);
  else {
    if (point < 0x10000) into[i++] = 0xe0 | (point >> 12);
    else {
      into[i++] = 0xf0 | (point >> 18);
      into[i++] = 0x80 | ((point >> 12) & 0x3f);
    }
    into[i++] = 0x80 | ((point >> 6) & 0x3f);
  }
  into[i++] = 0x80 | (point & 0x3f);
  return i;
}

/**
 * Undoes the escapes of a scanned name: `bytes[start, end)` between the quotes becomes UTF-8 in `into`, which needs room for
 * `end - start` bytes; gives the length. Lone surrogates become their three bytes (WTF-8), so that two names are equal
 * exactly when their code units are.
 */
export function unescapeName(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let length = 0;
  let i = start;
  while (i < end) {
    const byte = bytes[i] as number;
    if (byte !== ascii.backslash) {
      into[length++] = byte;
      i += 1;
      continue;
    }
    const letter = bytes[i + 1] as number;
    if (letter !== ascii.u) {
      into[length++] = shortEscapes[letter] as number;
      i += 2;
      continue;
    }
    let point = fourDigits(bytes, i + 2);
    i += 6;
    if (isHigh(point) && i + 6 <= end && bytes[i] === ascii.backslash && bytes[i + 1] === ascii.u) {
      const low = fourDigits(bytes, i + 2);
      if (isLow(low)) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
        i += 6;
      }
    }
    length = writeCodePoint(point, into, length);
  }
  return length;
}
