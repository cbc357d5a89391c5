import { BlockList, isIP } from "node:net";

/**
 * One entry of an allow-list: `spiffe://trust-domain/path`, `dns:name`, `uri:...` or `ip:address`. It names a subject
 * alternative name in full; the common name is never looked at. In a SPIFFE id a path segment may be `*`.
 */
export interface PeerRule {
  readonly kind: "dns" | "uri" | "ip";
  readonly value: string;
}

/** A subject alternative name of a certificate. */
export interface PeerName {
  readonly kind: string;
  readonly value: string;
}

const dnsName = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
// SPIFFE ID section 2: lower-case trust domain, segments of the unreserved letters.
const spiffeId = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?:\*|(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+))+$/;

/** Reads an allow-list's entry; `undefined` when it is none. */
export function parsePeerRule(text: string): PeerRule | undefined {
  if (text.startsWith("spiffe://")) return spiffeId.test(text) ? { kind: "uri", value: text } : undefined;
  const colon = text.indexOf(":");
  const value = text.slice(colon + 1);
  switch (text.slice(0, colon)) {
    case "dns":
      return dnsName.test(value) && value.length <= 253 ? { kind: "dns", value: value.toLowerCase() } : undefined;
    case "uri":
      return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(value) ? { kind: "uri", value } : undefined;
    case "ip":
      return isIP(value) === 0 ? undefined : { kind: "ip", value };
    default:
      return undefined;
  }
}

const kinds: ReadonlyMap<string, string> = new Map([
  ["DNS", "dns"],
  ["URI", "uri"],
  ["IP Address", "ip"],
]);

/** One entry of Node's text: `KIND:value` up to the next comma, or `KIND:"..."` as a JSON string where the value holds odd bytes. */
const entry = /([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?:, (?=.)|$)/y;

function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the text of `X509Certificate.subjectAltName`. Node quotes values that hold a comma or anything odd, so that no value
 * can pose as a second entry (CVE-2021-44532); text of any other form gives no name at all.
 */
export function parseSubjectAltNames(text: string | undefined): readonly PeerName[] {
  const names: PeerName[] = [];
  if (text === undefined || text === "") return names;
  const pattern = new RegExp(entry);
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return [];
    const value = match[2] === undefined ? match[3] : unquoted(match[2]);
    if (value === undefined) return [];
    names.push({ kind: kinds.get(match[1] ?? "") ?? "other", value });
  }
  return names;
}

function sameAddress(a: string, b: string): boolean {
  const family = isIP(a);
  if (family === 0 || isIP(b) !== family) return false;
  const list = new BlockList();
  const type = family === 6 ? "ipv6" : "ipv4";
  list.addAddress(a, type);
  return list.check(b, type);
}

function sameUri(rule: string, value: string): boolean {
  if (!rule.startsWith("spiffe://") || !rule.includes("*")) return rule === value;
  const wanted = rule.split("/");
  const given = value.split("/");
  return wanted.length === given.length && wanted.every((segment, i) => matchesSegment(segment, given[i] ?? ""));
}

const matchesSegment = (wanted: string, given: string): boolean =>
  wanted === "*" ? /^[A-Za-z0-9._-]+$/.test(given) : wanted === given;

function matches(rule: PeerRule, name: PeerName): boolean {
  if (rule.kind !== name.kind) return false;
  if (rule.kind === "dns") return rule.value === name.value.toLowerCase();
  return rule.kind === "ip" ? sameAddress(rule.value, name.value) : sameUri(rule.value, name.value);
}

/** True when one of the certificate's names is on the list. */
export function isAllowed(rules: readonly PeerRule[], subjectAltName: string | undefined): boolean {
  const names = parseSubjectAltNames(subjectAltName);
  return names.some((name) => rules.some((rule) => matches(rule, name)));
}
