import { needsJsonAsked } from "./accept.ts";
import { forwardedPeerHeader } from "./forwarded-peer.ts";
import type { HeaderLines } from "./header-lines.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import type { CheckedHead } from "./request-head.ts";
import type { Treatment } from "./route-treatment.ts";
import { isDigest, isRange } from "./stale-headers.ts";

export type Direction = "inbound" | "outbound";

/** Who a peer says it is or speaks for. Never believed and never passed on (only a certificate names a peer). */
function isPeersClaim(name: string, direction: Direction): boolean {
  if (name === forwardedPeerHeader || name.startsWith("x-sealwright-")) return true;
  if (direction === "outbound") return false;
  return (
    name.startsWith("x-forwarded-") || name === "forwarded" || name === "x-real-ip" || name.startsWith("x-client-cert")
  );
}

export interface RequestHeaderRules {
  readonly direction: Direction;
  readonly treatment: Treatment;
  /** The body leaves without the coding it came with. */
  readonly decoded: boolean;
  /** Who the client is by its certificate, for an app behind an inbound listener. */
  readonly forwardedPeer: string | undefined;
}

function isDropped(name: string, head: CheckedHead, rules: RequestHeaderRules): boolean {
  if (isHopByHop(name) || name === "expect" || name === "host" || isPeersClaim(name, rules.direction)) return true;
  if (head.listed.length > 0 && head.listed.includes(name)) return true;
  if (rules.decoded && name === "content-encoding") return true;
  const { opens, rewrites } = rules.treatment;
  return (rewrites && (isDigest(name) || isRange(name))) || (opens && name === "accept-encoding");
}

function kept(lines: HeaderLines, index: number, askJson: boolean): boolean {
  return !(askJson && lines.name(index) === "accept");
}

/**
 * The header lines that go upstream, in the order and spelling in which they came; framing is made by the upstream side.
 * An outbound listener names the upstream as host, an inbound one keeps the client's.
 */
export function upstreamHeaders(head: CheckedHead, rules: RequestHeaderRules): string[] {
  const { lines } = head;
  const askJson = rules.treatment.opens && needsJsonAsked(lines.all("accept"));
  const out: string[] = [];
  if (rules.direction === "inbound" && head.host !== "") out.push("host", head.host);
  for (let i = 0; i < lines.count; i++) {
    if (isDropped(lines.name(i), head, rules) || !kept(lines, i, askJson)) continue;
    out.push(lines.raw[2 * i] ?? "", lines.value(i));
  }
  if (rules.treatment.opens) out.push("accept-encoding", "identity");
  if (askJson) out.push("accept", "application/json");
  if (rules.direction === "inbound" && rules.forwardedPeer !== undefined)
    out.push(forwardedPeerHeader, rules.forwardedPeer);
  return out;
}
