/** Where the parts of a sealed value's envelope lie, read from the published grammar and from nothing of the program. */
export interface Envelope {
  readonly bytes: Buffer;
  /** Hex of what names the data key: 32 digits in keyring form, 64 inline. */
  readonly keyId: string;
  /** Inline: the wrapped data key. */
  readonly wrapped: Buffer | undefined;
  /** Where the body begins. */
  readonly bodyAt: number;
}

const prefix = "swr1.";

export function readEnvelope(token: string): Envelope {
  const bytes = Buffer.from(token.slice(prefix.length), "base64url");
  if (((bytes[1] ?? 0) & 0x0f) === 0) {
    return { bytes, keyId: bytes.toString("hex", 2, 18), wrapped: undefined, bodyAt: 18 };
  }
  const wrappedLengthAt = 35 + (bytes[34] ?? 0);
  const wrappedAt = wrappedLengthAt + 2;
  const bodyAt = wrappedAt + bytes.readUInt16BE(wrappedLengthAt);
  return { bytes, keyId: bytes.toString("hex", 2, 34), wrapped: bytes.subarray(wrappedAt, bodyAt), bodyAt };
}

export const tokenOf = (bytes: Buffer): string => prefix + bytes.toString("base64url");

/** The nonce of a randomised value, hex. */
export function nonceOf(token: string): string {
  const { bytes, bodyAt } = readEnvelope(token);
  return bytes.toString("hex", bodyAt, bodyAt + 24);
}
