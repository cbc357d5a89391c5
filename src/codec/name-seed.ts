import { hash, randomBytes } from "node:crypto";

/** Bytes of a decoded name that a set keeps as they are; longer ones are kept as a digest. */
export const keptNameBytes = 48;

const secret = randomBytes(32);

/** Secret 32-bit multipliers, one per 16 bits of a kept name and its length. */
export const nameMultipliers = new Int32Array(keptNameBytes / 2 + 2);
for (const i of nameMultipliers.keys()) nameMultipliers[i] = randomBytes(4).readInt32LE();

/** 128 bits that stand for a name too long to keep: SHA-256 under a secret of this process. */
export function nameDigest(name: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([secret, name]), "buffer").subarray(0, 16);
}
