/**
 * The few DER types that a certificate needs, written only (X.690 sections 8 and 10). Every function gives one complete
 * element: tag, length, contents.
 */

function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

/** Short form below 128, else the fewest bytes that hold it. */
function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  const hex = bytes.toString(16);
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits]);
}

export const sequence = (...contents: readonly Buffer[]): Buffer => element(0x30, ...contents);
export const set = (...contents: readonly Buffer[]): Buffer => element(0x31, ...contents);
export const octetString = (bytes: Buffer): Buffer => element(0x04, bytes);
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text));
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]));

/** `magnitude`: big-endian, at least one byte, no leading zero byte; a zero is put before it where its top bit is set. */
export function integer(magnitude: Buffer): Buffer {
  return element(0x02, ...((magnitude[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), magnitude);
}

/** Whole bytes: no unused bits. */
export const bitString = (bytes: Buffer): Buffer => element(0x03, Buffer.from([0]), bytes);

/** Named bits of one byte, bit 0 first: trailing zero bits are cut, as DER wants for named lists. */
export function namedBits(...bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return element(0x03, Buffer.from([7 - Math.max(...bits), byte]));
}

/** `dotted` such as `2.5.29.17`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** UTCTime up to 2049 and GeneralizedTime from then on, as RFC 5280 section 4.1.2.5 wants. Milliseconds are cut. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/\.\d+/u, "").replace(/[-:T]/gu, "");
  return at.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}

/** Context tag `number`: constructed around whole elements, as in `[3] EXPLICIT`. */
export const explicit = (number: number, ...contents: readonly Buffer[]): Buffer => element(0xa0 | number, ...contents);

/** Context tag `number` in place of a string's own tag, as in `dNSName [2] IMPLICIT IA5String`. */
export const implicit = (number: number, bytes: Buffer): Buffer => element(0x80 | number, bytes);
