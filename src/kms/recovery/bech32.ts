/**
 * Bech32 (BIP 173): text that people print and type, with a checksum that finds every error of up to four characters.
 *
 *     text = prefix | "1" | data, 5 bits a character | checksum, 6 characters
 */

const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const checksumLength = 6;
const longestText = 90;

/** `bytes` under `prefix`, in lower case. */
export function toBech32(prefix: string, bytes: Uint8Array): string {
  const digits = regrouped(bytes, { from: 8, to: 5 });
  const remainder = polymod([...expanded(prefix), ...digits, ...new Array<number>(checksumLength).fill(0)]) ^ 1;
  const checksum = Array.from({ length: checksumLength }, (_, index) => (remainder >>> (5 * (5 - index))) & 31);
  return `${prefix}1${[...digits, ...checksum].map((digit) => alphabet[digit] ?? "").join("")}`;
}

/** The bytes of a text under `prefix`, all lower case or all upper; `undefined` = it is none, or its checksum is wrong. */
export function fromBech32(prefix: string, text: string): Buffer | undefined {
  if (text.length > longestText || (text !== text.toLowerCase() && text !== text.toUpperCase())) return undefined;
  const lower = text.toLowerCase();
  if (!lower.startsWith(`${prefix}1`)) return undefined;
  const digits = Array.from(lower.slice(prefix.length + 1), (character) => alphabet.indexOf(character));
  if (digits.length < checksumLength || digits.includes(-1)) return undefined;
  if (polymod([...expanded(prefix), ...digits]) !== 1) return undefined;
  const data = digits.slice(0, -checksumLength);
  const bytes = regrouped(data, { from: 5, to: 8 });
  const spareBits = (data.length * 5) % 8;
  // One spelling for each value: no digit more than it takes, and what is left of the last one is zero.
  const canonical = spareBits < 5 && ((data.at(-1) ?? 0) & ((1 << spareBits) - 1)) === 0;
  return canonical ? Buffer.from(bytes.slice(0, Math.floor((data.length * 5) / 8))) : undefined;
}

function expanded(prefix: string): readonly number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(digits: readonly number[]): number {
  let remainder = 1;
  for (const digit of digits) {
    const top = remainder >>> 25;
    remainder = ((remainder & 0x1ffffff) << 5) ^ digit;
    for (const [bit, generator] of generators.entries()) if (((top >>> bit) & 1) === 1) remainder ^= generator;
  }
  return remainder >>> 0;
}

/** The same bits in groups of another size; the last group is filled up with zeroes. */
function regrouped(groups: Iterable<number>, { from, to }: { readonly from: number; readonly to: number }): number[] {
  const out: number[] = [];
  let [held, bits] = [0, 0];
  for (const group of groups) {
    held = (held << from) | group;
    for (bits += from; bits >= to;) {
      bits -= to;
      out.push((held >>> bits) & ((1 << to) - 1));
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) out.push((held << (to - bits)) & ((1 << to) - 1));
  return out;
}
