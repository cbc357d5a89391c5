import { SealwrightError } from "../base/sealwright-error.ts";
import { HeaderLines, listMembers } from "./header-lines.ts";
import { isHopByHop, isRelied, listedByConnection } from "./hop-by-hop.ts";
import type { RequestHead } from "./http-port.ts";
import { checkNoOverride, isOverride } from "./method-override.ts";

/** How long a request's body is said to be. */
export type Framing =
  { readonly kind: "none" } | { readonly kind: "sized"; readonly length: number } | { readonly kind: "chunked" };

/** A request head that has one meaning only. */
export interface CheckedHead {
  readonly method: string;
  readonly target: string;
  readonly lines: HeaderLines;
  readonly framing: Framing;
  readonly host: string;
  /** Header names that the `Connection` lines list. */
  readonly listed: readonly string[];
}

/** Most header lines of one request. Bytes are bounded by the HTTP implementation (`maxHeaderBytes`). */
export const maxHeaderLines = 128;
/** Most bytes of a request or response head. */
export const maxHeaderBytes = 16 * 1024;

/** Two of these mean two things to two readers; some HTTP libraries keep the first in silence. */
const single: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "content-type",
  "content-range",
  "content-location",
  "expect",
  "authorization",
  "proxy-authorization",
]);

const none: Framing = Object.freeze({ kind: "none" });
const chunked: Framing = Object.freeze({ kind: "chunked" });

// Field values by RFC 9110 section 5.5: no control characters but the tab.
const badValue = /[^\t\x20-\x7e\x80-\xff]/;
const badHost = /[^A-Za-z0-9.\-:[\]_~%]/;

const refuse = (reason: string): never => {
  throw new SealwrightError("header_refused", { reason });
};

const invalid = (reason: string): never => {
  throw new SealwrightError("http_invalid", { reason });
};

/** Readers in the CGI tradition take `Content_Type` for `Content-Type`; a name that would then be one of ours is refused. */
function posesAsAnother(name: string): boolean {
  const hyphenated = name.replaceAll("_", "-");
  return isHopByHop(hyphenated) || isRelied(hyphenated) || isOverride(hyphenated);
}

function checkLines(lines: HeaderLines): void {
  if (lines.count > maxHeaderLines) throw new SealwrightError("headers_too_large", { reason: "too many lines" });
  for (let i = 0; i < lines.count; i++) {
    const name = lines.name(i);
    if (badValue.test(lines.value(i))) refuse("control character in a value");
    if (name.includes("_") && posesAsAnother(name)) refuse("underscores for hyphens");
    if (single.has(name) && lines.names.indexOf(name, i + 1) >= 0) refuse("repeated header");
  }
}

/** RFC 9112 section 6: exactly one way to tell where the body ends. */
function framingOf(head: RequestHead, lines: HeaderLines): Framing {
  const coding = lines.first("transfer-encoding");
  const length = lines.first("content-length");
  if (head.version === "2") {
    if (coding !== undefined) invalid("transfer-encoding in HTTP/2");
    // The stream ends the body; a length that does not hold is the library's to refuse (RFC 9113 section 8.1.1).
    if (length === undefined) return head.ended === true ? none : chunked;
  }
  if (coding !== undefined) {
    if (length !== undefined) invalid("content-length beside transfer-encoding");
    if (head.version !== "1.1") invalid("transfer-encoding in HTTP/1.0");
    if (coding.toLowerCase() !== "chunked") invalid("transfer-encoding other than chunked");
    return chunked;
  }
  if (length === undefined) return none;
  if (!/^[0-9]{1,15}$/.test(length)) invalid("content-length is no number");
  const bytes = Number(length);
  return bytes === 0 ? none : { kind: "sized", length: bytes };
}

function hostOf(head: RequestHead, lines: HeaderLines): string {
  const host = lines.first("host");
  if (host === undefined) return head.version === "1.0" ? "" : invalid("no host");
  return badHost.test(host) ? invalid("malformed host") : host;
}

/** Upgrades are refused, but for the offer of h2c, which a server may ignore (RFC 9110 section 7.8) and this one does. */
function checkUpgrade(lines: HeaderLines): void {
  if (lines.has("upgrade") && listMembers(lines.all("upgrade")).some((protocol) => protocol !== "h2c")) {
    throw new SealwrightError("upgrade_refused");
  }
}

/**
 * Reads a request head strictly; a head that two readers could read two ways is refused.
 * Throws `http_invalid`, `header_refused`, `headers_too_large`, `upgrade_refused`, `method_not_allowed`.
 */
export function checkRequestHead(head: RequestHead): CheckedHead {
  if (!["1.0", "1.1", "2"].includes(head.version)) invalid("HTTP version");
  if (head.method === "CONNECT") throw new SealwrightError("method_not_allowed", { reason: "CONNECT" });
  // Origin form only (RFC 9112 section 3.2.1): another form could name another host than the one we speak for.
  if (!head.target.startsWith("/")) invalid("target is not in origin form");
  const lines = new HeaderLines(head.headers);
  checkLines(lines);
  const framing = framingOf(head, lines);
  const host = hostOf(head, lines);
  checkUpgrade(lines);
  const expect = lines.first("expect");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") refuse("expect other than 100-continue");
  checkNoOverride(lines, head.target);
  return { method: head.method, target: head.target, lines, framing, host, listed: listedByConnection(lines) };
}

/** Trailers are not forwarded, but one that would frame or route in a head shows somebody who tries. Throws `http_invalid`. */
export function checkTrailers(lines: HeaderLines): void {
  if (lines.names.some((name) => single.has(name) || name.startsWith("content-"))) invalid("framing in a trailer");
}
