/** Byte helpers of the sealed-value format (DESIGN.md "Sealed value"): big-endian integers and length-prefixed strings. */

/** `n` as 4 big-endian bytes. */
export function u32(n: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeUInt32BE(n);
  return out;
}

/** LP(x) = u32 length, then x. Text is UTF-8. */
export function lengthPrefixed(x: Buffer | string): Buffer {
  const bytes = typeof x === "string" ? Buffer.from(x, "utf8") : x;
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Buffer): string {
  return bytes.toString("base64url");
}

/**
 * Decodes base64url strictly: the one alphabet, no padding, no other characters, unused trailing bits zero, so that what
 * decodes re-encodes to the same text. `undefined` = not canonical.
 */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
