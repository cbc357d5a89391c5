import type { Pin } from "./pins.ts";
import type { SecureContextOptions, TlsOptions } from "node:tls";

/** PEM of an identity that this process shows. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** PEM of what is trusted. */
export interface TlsTrust {
  readonly ca: Buffer;
  /** Revocation lists; with one present, a certificate of an authority without a list is refused (hard fail). */
  readonly crl?: Buffer | undefined;
}

/** TLS 1.3 only on every hop; hybrid post-quantum key exchange first. */
const common = Object.freeze({
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ecdhCurve: "X25519MLKEM768:X25519:P-256",
} as const satisfies SecureContextOptions);

const trusted = (trust: TlsTrust): SecureContextOptions =>
  trust.crl === undefined ? { ca: trust.ca } : { ca: trust.ca, crl: trust.crl };

export function isSameTrust(a: TlsTrust, b: TlsTrust | undefined): boolean {
  if (b === undefined || !a.ca.equals(b.ca)) return false;
  return a.crl === undefined || b.crl === undefined ? a.crl === b.crl : a.crl.equals(b.crl);
}

export interface ServerTls {
  readonly identity: TlsIdentity;
  /** Present = a client certificate under this trust is required. */
  readonly clients: TlsTrust | undefined;
  readonly handshakeMs: number;
}

export function serverTlsOptions(tls: ServerTls): TlsOptions {
  return {
    ...common,
    cert: tls.identity.cert,
    key: tls.identity.key,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: tls.handshakeMs,
    requestCert: tls.clients !== undefined,
    rejectUnauthorized: tls.clients !== undefined,
    ...(tls.clients === undefined ? {} : trusted(tls.clients)),
  };
}

export interface ClientTls {
  readonly identity: TlsIdentity | undefined;
  readonly trust: TlsTrust;
  /** Public keys of which the upstream's certificate must have one. Empty = any. */
  readonly pins: readonly Pin[];
}

export function clientTlsOptions(tls: ClientTls): SecureContextOptions & { rejectUnauthorized: true } {
  return {
    ...common,
    rejectUnauthorized: true,
    ...(tls.identity === undefined ? {} : { cert: tls.identity.cert, key: tls.identity.key }),
    ...trusted(tls.trust),
  };
}
