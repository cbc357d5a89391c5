import { readCertificates, type Certificate } from "../proxy/certificate.ts";
import { readRevocationLists } from "../proxy/revocation-list.ts";
import type { TlsMaterial } from "../proxy/running-listener.ts";
import type { TlsTrust } from "../proxy/tls.ts";

/** How long something that TLS hangs on goes on being good. */
export interface TlsLifetime {
  readonly role: "server" | "client" | "clients-ca" | "upstream-ca" | "clients-crl" | "upstream-crl";
  /** Milliseconds since 1970. */
  readonly notBefore: number | undefined;
  readonly notAfter: number;
}

/** Below this share of its lifetime a certificate is told to be near its end. */
const warningShare = 0.2;

/** Of several certificates in one place, the first that ends counts. Throws `file_unreadable`. */
export function tlsLifetimes({ server, upstream }: TlsMaterial): readonly TlsLifetime[] {
  const identities = [
    { role: "server", identity: server?.identity },
    { role: "client", identity: upstream?.identity },
  ] as const;
  return [
    ...identities.flatMap(({ role, identity }) =>
      identity === undefined ? [] : first(role, readCertificates(identity.cert)),
    ),
    ...trustLifetimes("clients", server?.clients),
    ...trustLifetimes("upstream", upstream?.trust),
  ];
}

/** True when what is left of a lifetime is under a fifth of it. A revocation list is near its end only once it is over. */
export function isNearEnd({ notBefore, notAfter }: TlsLifetime, nowMs: number): boolean {
  return notAfter - nowMs < (notBefore === undefined ? 0 : (notAfter - notBefore) * warningShare);
}

function trustLifetimes(side: "clients" | "upstream", trust: TlsTrust | undefined): readonly TlsLifetime[] {
  if (trust === undefined) return [];
  const lists = trust.crl === undefined ? [] : readRevocationLists(trust.crl);
  const ends = lists.flatMap(({ nextUpdate }) => nextUpdate ?? []);
  return [
    ...first(`${side}-ca`, readCertificates(trust.ca)),
    ...(ends.length === 0
      ? []
      : [{ role: `${side}-crl`, notBefore: undefined, notAfter: Math.min(...ends) } satisfies TlsLifetime]),
  ];
}

function first(role: TlsLifetime["role"], certificates: readonly Certificate[]): readonly TlsLifetime[] {
  const lifetimes = certificates.map((certificate) => ({
    role,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  }));
  return lifetimes.toSorted((a, b) => a.notAfter - b.notAfter).slice(0, 1);
}
