import { createHash, timingSafeEqual } from "node:crypto";
import { fromBase64url } from "../base/bytes.ts";
import type { Certificate } from "./certificate.ts";

/** SHA-256 of a certificate's public key (SubjectPublicKeyInfo, RFC 7469 section 2.4): 32 bytes. */
export type Pin = Buffer;

/** Reads `sha256/...` in base64 or base64url, padded or not; `undefined` when it is no pin. */
export function parsePin(text: string): Pin | undefined {
  const match = /^sha256\/([A-Za-z0-9+/_-]{43})=?$/.exec(text);
  const pin = fromBase64url((match?.[1] ?? "").replaceAll("+", "-").replaceAll("/", "_"));
  return pin?.length === 32 ? pin : undefined;
}

/** The spelling that `parsePin` reads back. */
export function formatPin(pin: Pin): string {
  return `sha256/${pin.toString("base64")}`;
}

/**
 * Reads a file of pins: one a line, blank lines and what follows `#` left out; `undefined` when a line is no pin or there is
 * none.
 */
export function parsePinFile(text: string): readonly Pin[] | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, "").trim());
  const pins = lines.filter((line) => line !== "").map(parsePin);
  const good = pins.filter((pin) => pin !== undefined);
  return good.length > 0 && good.length === pins.length ? good : undefined;
}

export function pinOf(certificate: Certificate): Pin {
  return createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest();
}

/** True when no pins are set, or the certificate's key is one of them. */
export function isPinned(pins: readonly Pin[], certificate: Certificate): boolean {
  if (pins.length === 0) return true;
  const own = pinOf(certificate);
  return pins.some((pin) => timingSafeEqual(pin, own));
}
