import { timingSafeEqual } from "node:crypto";

/** True when both hold the same bytes; takes as long wherever they differ. Their lengths are no secret. */
export function equalBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
