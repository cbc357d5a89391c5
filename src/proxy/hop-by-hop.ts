import { SealwrightError } from "../base/sealwright-error.ts";
import { listMembers, type HeaderLines } from "./header-lines.ts";

/** Headers of one connection, never forwarded (RFC 9110 section 7.6.1), and framing, which each side makes anew. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "content-length",
]);

export const isHopByHop = (name: string): boolean => hopByHop.has(name);

/** Names that a `Connection` line must not strip: the upstream or we rely on them. Everything `content-` and `x-forwarded-` too. */
const relied: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "cookie",
  "set-cookie",
  "date",
  "expect",
  "forwarded",
  "x-real-ip",
  "cache-control",
  "vary",
  "etag",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "range",
  "accept",
  "accept-encoding",
  "origin",
  "location",
]);

const reliedPrefixes = ["content-", "x-forwarded-", "access-control-", "sec-", "x-amz-"];

export const isRelied = (name: string): boolean =>
  relied.has(name) || reliedPrefixes.some((prefix) => name.startsWith(prefix));

/**
 * The names that the `Connection` lines list, without the options that are no header. Throws `header_refused` when one of
 * them is a header that somebody relies on: stripping it would change who asks for what.
 */
export function listedByConnection(lines: HeaderLines): readonly string[] {
  if (!lines.has("connection")) return [];
  const listed = listMembers(lines.all("connection")).filter((name) => name !== "close" && name !== "keep-alive");
  if (listed.some(isRelied))
    throw new SealwrightError("header_refused", { reason: "connection lists a relied-on name" });
  return listed;
}
