/** The bytes that RFC 8259 gives a meaning, by name. */
export const ascii = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  colon: 0x3a,
  leftBracket: 0x5b,
  backslash: 0x5c,
  rightBracket: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  u: 0x75,
  leftBrace: 0x7b,
  rightBrace: 0x7d,
} as const;

/** A table over all bytes: 1 where `bytes` (latin1 text) holds the byte. */
export function byteSet(bytes: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(bytes, "latin1")) table[byte] = 1;
  return table;
}

/** RFC 8259 section 2: insignificant white space. */
export const whitespace = byteSet(" \t\n\r");
