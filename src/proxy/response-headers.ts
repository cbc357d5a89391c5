import { listMembers, type HeaderLines } from "./header-lines.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { isDigest, isVoidOnOpened } from "./stale-headers.ts";

/** What an answer's headers are made for. */
export interface ResponseHeaderRules {
  /** The answer belongs to an opened resource: its own validators stay, what speaks of the sealed bytes goes. */
  readonly opened: boolean;
  /** The header that names the tenant, for `Vary`. */
  readonly tenantHeader: string | undefined;
  /** Bytes that follow, or `undefined` for none stated (then chunked, or no body at all). */
  readonly length: number | undefined;
}

function varyOf(lines: HeaderLines, tenantHeader: string | undefined): string | undefined {
  const given = lines.all("vary");
  if (tenantHeader === undefined) return given.length === 0 ? undefined : given.join(", ");
  const members = listMembers(given);
  if (members.includes("*") || members.includes(tenantHeader.toLowerCase())) return given.join(", ");
  return [...given, tenantHeader].join(", ");
}

function pushOpened(out: string[], lines: HeaderLines, tenantHeader: string | undefined): void {
  // An opened answer holds clear values: no cache but the asker's memory may keep it.
  out.push("cache-control", "private, no-store");
  const vary = varyOf(lines, tenantHeader);
  if (vary !== undefined) out.push("vary", vary);
}

/** The header lines that go to the client, in the order and spelling in which they came. */
export function clientHeaders(lines: HeaderLines, rules: ResponseHeaderRules): string[] {
  const listed = lines.has("connection") ? listMembers(lines.all("connection")) : [];
  const out: string[] = [];
  for (let i = 0; i < lines.count; i++) {
    const name = lines.name(i);
    if (isHopByHop(name) || listed.includes(name)) continue;
    if (rules.opened && (isDigest(name) || isVoidOnOpened(name) || name === "content-encoding")) continue;
    out.push(lines.raw[2 * i] ?? "", lines.value(i));
  }
  if (rules.opened) pushOpened(out, lines, rules.tenantHeader);
  if (rules.length !== undefined) out.push("content-length", String(rules.length));
  return out;
}

const isUnsafeTrailer = (name: string): boolean =>
  isHopByHop(name) ||
  name.startsWith("content-") ||
  ["host", "set-cookie", "cache-control", "vary", "location", "authorization", "age", "expires", "date"].includes(name);

/** The trailer lines that may follow an answer that was not rewritten (RFC 9110 section 6.5.1). */
export function clientTrailers(lines: HeaderLines): string[] {
  const out: string[] = [];
  for (let i = 0; i < lines.count; i++) {
    if (!isUnsafeTrailer(lines.name(i))) out.push(lines.raw[2 * i] ?? "", lines.value(i));
  }
  return out;
}
