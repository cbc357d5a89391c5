import { createHash, timingSafeEqual } from "node:crypto";
import { contextBytes, type KmsContext } from "../context.ts";

/** SHA-256(contextBytes(context)): stands behind a data key where the key service authenticates no context. */
export function contextDigest(context: KmsContext): Buffer {
  return createHash("sha256").update(contextBytes(context)).digest();
}

/** True when `bytes` end with the digest of `context`; in constant time. */
export function endsWithDigest(bytes: Buffer, context: KmsContext): boolean {
  const digest = contextDigest(context);
  return bytes.length >= digest.length && timingSafeEqual(bytes.subarray(-digest.length), digest);
}
