import { X509Certificate } from "node:crypto";
import { SealwrightError } from "../base/sealwright-error.ts";

/** A certificate as Node gives it, named here so that others need no crypto module for it. */
export type Certificate = X509Certificate;

const pemStart = /-----BEGIN CERTIFICATE-----/g;
const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM file, in its order. Throws `file_unreadable` where one is malformed or cut short, or there is none. */
export function readCertificates(pem: Buffer): readonly Certificate[] {
  const text = pem.toString("latin1");
  const blocks = text.match(pemBlock) ?? [];
  if (blocks.length === 0) throw new SealwrightError("file_unreadable", { reason: "no certificate in PEM" });
  // TLS takes what it can read: of a bundle that is still being written, only a part would be trusted.
  if ((text.match(pemStart) ?? []).length !== blocks.length)
    throw new SealwrightError("file_unreadable", { reason: "malformed certificate" });
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new SealwrightError("file_unreadable", { reason: "malformed certificate" }, error);
  }
}

export function isOver(certificate: Certificate, nowMs: number): boolean {
  return certificate.validToDate.getTime() < nowMs;
}
