import { byteSet } from "./ascii.ts";

/** RFC 8259 section 7: where the scanner stands between the quotes. 1 to 4 = that many hex digits of a `\u` are to come. */
export const textState = { plain: 0, fourDigits: 4, escape: 5 } as const;

/** 1 for bytes that stand for themselves in a string: neither quote, backslash nor control. */
export const plainText = new Uint8Array(256).fill(1, 0x20);
plainText[0x22] = 0;
plainText[0x5c] = 0;

/** 1 for what may follow a backslash, `u` apart. */
export const shortEscape = byteSet('"\\/bfnrt');

export const hexDigit = byteSet("0123456789abcdefABCDEF");
