import { hkdfSync } from "node:crypto";

/** Length of a data key, in bytes. */
export const dataKeyBytes = 32;
/** Length of a key id, and of the part of it that the keyring form writes, in bytes. */
export const keyIdBytes = 32;
export const shortIdBytes = 16;

/** Labels of what is derived from a data key. A label never changes its meaning; the suites' own stand in suites.ts. */
export const keyIdLabel = "sealwright/v1 key id";

/** HKDF-SHA-256 with empty salt (RFC 5869): `bytes` bytes from `secret` for the use that `label` names. */
export function deriveKey(secret: Buffer, label: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", label, bytes));
}

/** The 32-byte id (kid) of a key: it names the key and commits to it. */
export function keyIdOf(secret: Buffer): Buffer {
  return deriveKey(secret, keyIdLabel, keyIdBytes);
}
