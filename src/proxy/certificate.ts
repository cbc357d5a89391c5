import { X509Certificate } from "node:crypto";
import { SealwrightError } from "../base/sealwright-error.ts";

/** A certificate as Node gives it, named here so that others need no crypto module for it. */
export type Certificate = X509Certificate;

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM file, in its order. Throws `file_unreadable` where one is malformed or there is none. */
export function readCertificates(pem: Buffer): readonly Certificate[] {
  const blocks = pem.toString("latin1").match(pemBlock) ?? [];
  if (blocks.length === 0) throw new SealwrightError("file_unreadable", { reason: "no certificate in PEM" });
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new SealwrightError("file_unreadable", { reason: "malformed certificate" }, error);
  }
}

export function isOver(certificate: Certificate, nowMs: number): boolean {
  return certificate.validToDate.getTime() < nowMs;
}
