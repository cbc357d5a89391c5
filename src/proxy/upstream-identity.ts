import { isIP } from "node:net";
import { SealwrightError } from "../base/sealwright-error.ts";
import { isAllowed, type PeerRule } from "./peer-names.ts";
import type { Certificate } from "./certificate.ts";
import { formatPin, isPinned, pinOf, type Pin } from "./pins.ts";

/** Who the upstream must be, beyond a certificate that the trust vouches for. */
export interface UpstreamIdentity {
  /** Host name or IP literal that the certificate must name, unless `allow` says who instead. */
  readonly servername: string;
  /** Subject alternative names of which the certificate must bear one. Empty = `servername`. */
  readonly allow: readonly PeerRule[];
}

function namesHost(certificate: Certificate, servername: string): boolean {
  if (isIP(servername) !== 0) return certificate.checkIP(servername) !== undefined;
  // Never the common name; a wildcard stands for one whole label (RFC 9525 section 6.3).
  return certificate.checkHost(servername, { subject: "never", partialWildcards: false }) !== undefined;
}

const refuse = (reason: string): never => {
  throw new SealwrightError("upstream_identity", { reason });
};

/** Checked on every connection, resumed ones too. Throws `upstream_identity`. */
export function checkUpstreamIdentity(identity: UpstreamIdentity, certificate: Certificate, nowMs: number): void {
  if (certificate.validToDate.getTime() < nowMs) refuse("expired");
  if (identity.allow.length > 0) {
    if (!isAllowed(identity.allow, certificate.subjectAltName)) refuse("name not allowed");
  } else if (!namesHost(certificate, identity.servername)) {
    refuse("wrong name");
  }
}

/** Throws `upstream_pin`, with the key that was shown. */
export function checkPins(pins: readonly Pin[], certificate: Certificate): void {
  if (isPinned(pins, certificate)) return;
  throw new SealwrightError("upstream_pin", { reason: `the upstream shows ${formatPin(pinOf(certificate))}` });
}
