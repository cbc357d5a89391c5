import { hash } from "node:crypto";
import { lengthPrefixed } from "../base/bytes.ts";
import { contextBytes, type KmsContext } from "../kms/context.ts";

/**
 * Names a wrapped key under its context in caches: SHA-256(LP(kek) | LP(wrapped) | LP(context bytes)). Never the key's id, which
 * a value only claims; length prefixes keep any two different keys apart.
 */
export function wrapDigest(kek: string, wrapped: Buffer, context: KmsContext): string {
  const parts = [lengthPrefixed(kek), lengthPrefixed(wrapped), lengthPrefixed(contextBytes(context))];
  return hash("sha256", Buffer.concat(parts), "base64");
}
