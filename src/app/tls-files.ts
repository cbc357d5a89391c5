import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { SealwrightError } from "../base/sealwright-error.ts";
import type { TlsIdentity, TlsTrust } from "../proxy/tls.ts";
import type { IdentityFiles, TrustFiles } from "./config/sidecar-config.ts";

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file }, error);
  }
}

/** A certificate and its key, proven to belong together. Throws `file_unreadable`, `key_file`. */
export function readIdentity(files: IdentityFiles): TlsIdentity {
  const identity = { cert: readPem(files.cert), key: readPem(files.key) };
  try {
    createSecureContext(identity);
  } catch (error) {
    throw new SealwrightError("key_file", { file: files.key, reason: `not the key of ${files.cert}` }, error);
  }
  return identity;
}

/** Throws `file_unreadable`: also for a file without a certificate, which would trust nobody. */
export function readTrust(files: TrustFiles): TlsTrust {
  const ca = readPem(files.ca);
  if (!ca.includes("-----BEGIN CERTIFICATE-----"))
    throw new SealwrightError("file_unreadable", { file: files.ca, reason: "no certificate in PEM" });
  if (files.crl === undefined) return { ca };
  const crl = readPem(files.crl);
  try {
    createSecureContext({ ca, crl });
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: files.crl, reason: "no revocation list in PEM" }, error);
  }
  return { ca, crl };
}
