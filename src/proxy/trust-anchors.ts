import { isOver, readCertificates, type Certificate } from "./certificate.ts";
import { plainSerial, readRevocationLists } from "./revocation-list.ts";
import type { TlsTrust } from "./tls.ts";

/** Longest chain that is followed, as TLS libraries bound theirs. */
const longestChain = 8;

/**
 * Whom a trust vouches for, asked about connections that were made under an earlier one: TLS looks at new connections only.
 * A serial counts as revoked whichever authority of the trust revoked it: at worst a connection is made anew.
 */
export class TrustAnchors {
  readonly #authorities: readonly Certificate[];
  readonly #revoked: ReadonlySet<string>;

  /** Throws `file_unreadable`. */
  constructor(trust: TlsTrust) {
    this.#authorities = readCertificates(trust.ca);
    const lists = trust.crl === undefined ? [] : readRevocationLists(trust.crl);
    this.#revoked = new Set(lists.flatMap(({ revoked }) => [...revoked]));
  }

  #isRevoked(certificate: Certificate): boolean {
    return this.#revoked.has(plainSerial(certificate.serialNumber));
  }

  /** True while `leaf`, with what its peer sent beside it, leads to an authority and nothing on the way is revoked or over. */
  vouchesFor(leaf: Certificate, nowMs: number): boolean {
    let certificate = leaf;
    for (let depth = 0; depth < longestChain; depth += 1) {
      if (this.#isRevoked(certificate) || isOver(certificate, nowMs)) return false;
      if (this.#authorities.some((authority) => isIssuer(authority, certificate) && !isOver(authority, nowMs)))
        return true;
      const next = certificate.issuerCertificate;
      if (next === undefined || !isIssuer(next, certificate)) return false;
      certificate = next;
    }
    return false;
  }
}

function isIssuer(authority: Certificate, certificate: Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
