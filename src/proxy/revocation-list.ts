import { SealwrightError } from "../base/sealwright-error.ts";

/** What a certificate revocation list says (RFC 5280 section 5.1). Its signature is checked by TLS itself at every handshake. */
export interface RevocationList {
  /** Serial numbers as upper-case hex without leading zeros. */
  readonly revoked: ReadonlySet<string>;
  /** When the next list is due, milliseconds since 1970; absent where the list does not say. */
  readonly nextUpdate: number | undefined;
}

const pemStart = /-----BEGIN X509 CRL-----/g;
const pemBlock = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

/** The lists of a PEM file. Throws `file_unreadable` where one is malformed or there is none. */
export function readRevocationLists(pem: Buffer): readonly RevocationList[] {
  const text = pem.toString("latin1");
  const blocks = [...text.matchAll(pemBlock)];
  if (blocks.length === 0) throw unreadable("no revocation list in PEM");
  if ((text.match(pemStart) ?? []).length !== blocks.length) throw unreadable("malformed revocation list");
  return blocks.map((block) => parseList(Buffer.from(block[1] ?? "", "base64")));
}

/** A serial as lists and certificates are compared by. */
export function plainSerial(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, "");
}

interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
}

const tags = { integer: 0x02, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30 } as const;

/**
 *     CertificateList = SEQUENCE { tbsCertList, signatureAlgorithm, signature }
 *     tbsCertList     = SEQUENCE { version INTEGER?, signature, issuer, thisUpdate, nextUpdate?, revoked SEQUENCE OF?, [0]? }
 *     revoked         = SEQUENCE { serial INTEGER, date, extensions? }
 */
function parseList(der: Buffer): RevocationList {
  const [list] = valuesOf(der);
  const [tbs] = valuesOf(contentOf(list, tags.sequence));
  const members = [...valuesOf(contentOf(tbs, tags.sequence))];
  if (members[0]?.tag === tags.integer) members.shift();
  const [, , thisUpdate, ...rest] = members;
  if (timeOf(thisUpdate) === undefined) throw unreadable("malformed revocation list");
  const nextUpdate = timeOf(rest[0]);
  const revoked = rest.find(({ tag }) => tag === tags.sequence);
  const serials = new Set<string>();
  for (const entry of revoked === undefined ? [] : valuesOf(revoked.content)) {
    const [serial] = valuesOf(contentOf(entry, tags.sequence));
    serials.add(plainSerial(contentOf(serial, tags.integer).toString("hex")));
  }
  return { revoked: serials, nextUpdate };
}

/** The DER values that stand one after the other in `bytes` (ITU-T X.690 section 8.1), lengths up to four bytes. */
function valuesOf(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0xff;
    const more = first < 0x80 ? 0 : first & 0x7f;
    if (more > 4 || at + 2 + more > bytes.length) throw unreadable("malformed revocation list");
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    if (first === 0x80 || start + length > bytes.length) throw unreadable("malformed revocation list");
    values.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return values;
}

function contentOf(value: DerValue | undefined, tag: number): Buffer {
  if (value?.tag !== tag) throw unreadable("malformed revocation list");
  return value.content;
}

/** RFC 5280 section 4.1.2.5: YYMMDDHHMMSSZ below 2050, YYYYMMDDHHMMSSZ from then on. */
function timeOf(value: DerValue | undefined): number | undefined {
  if (value?.tag !== tags.utcTime && value?.tag !== tags.generalizedTime) return undefined;
  const digits = value.content.toString("latin1");
  const year = value.tag === tags.generalizedTime ? "" : Number(digits.slice(0, 2)) < 50 ? "20" : "19";
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(year + digits);
  if (match === null) throw unreadable("malformed time in a revocation list");
  const [, y, mo, d, h, mi, s] = match;
  const ms = Date.parse(`${y ?? ""}-${mo ?? ""}-${d ?? ""}T${h ?? ""}:${mi ?? ""}:${s ?? ""}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function unreadable(reason: string): SealwrightError {
  return new SealwrightError("file_unreadable", { reason });
}
