import { createHash } from "node:crypto";
import type { Certificate } from "./certificate.ts";
import { parseSubjectAltNames } from "./peer-names.ts";

/** The header by which the app learns who the client is. */
export const forwardedPeerHeader = "x-forwarded-client-cert";

/**
 * One element of Envoy's x-forwarded-client-cert: `Hash=<SHA-256 of the DER, hex>;Subject="...";URI=...;DNS=...`. URIs and
 * names as the certificate has them, the subject in the order of RFC 2253. What cannot stand in a header is left out: the hash
 * names the certificate in any case.
 */
export function forwardedPeer(certificate: Certificate): string {
  const names = parseSubjectAltNames(certificate.subjectAltName);
  // Absent where the certificate has none, whatever Node's types say.
  const lines = (certificate.subject as string | undefined)?.split("\n") ?? [];
  const pairs: readonly (readonly [string, string])[] = [
    ["Subject", lines.reverse().join(",")],
    ...names.flatMap(({ kind, value }): readonly (readonly [string, string])[] => {
      if (kind === "uri") return [["URI", value]];
      return kind === "dns" ? [["DNS", value]] : [];
    }),
  ];
  const hash = createHash("sha256").update(certificate.raw).digest("hex");
  const printable = pairs.filter(([, value]) => /^[\x20-\x7e]{1,1024}$/.test(value));
  return [`Hash=${hash}`, ...printable.map(([name, value]) => `${name}=${quoted(name, value)}`)].join(";");
}

/** A value that holds what separates values is quoted; the subject always is. */
function quoted(name: string, value: string): string {
  if (name !== "Subject" && !/[,;="\\]/.test(value)) return value;
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
