import { ascii, byteSet } from "./ascii.ts";

/** RFC 8259 section 7: where the scanner stands between the quotes. 1 to 4 = that many hex digits of a `\u` are to come. */
export const textState = { plain: 0, fourDigits: 4, escape: 5, wrong: 6 } as const;

/** 1 for what may follow a backslash, `u` apart. */
const shortEscape = byteSet('"\\/bfnrt');
const hexDigit = byteSet("0123456789abcdefABCDEF");

/** The next byte at or after `from` that does not stand for itself: a quote, a backslash or a control; else the length. */
export function skipPlainText(bytes: Buffer, from: number): number {
  const end = bytes.length;
  let i = from;
  while (i < end) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte === ascii.quote || byte === ascii.backslash) break;
    i += 1;
  }
  return i;
}

/** The state after a byte that is not the closing quote and not plain text; `wrong` when it cannot stand there. */
export function textStep(state: number, byte: number): number {
  if (state === textState.plain) return byte === ascii.backslash ? textState.escape : textState.wrong;
  if (state !== textState.escape) return hexDigit[byte] === 1 ? state - 1 : textState.wrong;
  if (byte === ascii.u) return textState.fourDigits;
  return shortEscape[byte] === 1 ? textState.plain : textState.wrong;
}
