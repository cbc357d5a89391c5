import type { HeaderList } from "./http-port.ts";

/** What an inbound listener says to browsers on every answer, as a TLS front does. */
export interface FrontHeaders {
  /** Value of Strict-Transport-Security (RFC 6797), in place of the app's; `undefined` = the app's own, if any. */
  readonly hsts: string | undefined;
  /** Referrer-Policy where the app gives none. */
  readonly referrerPolicy: string | undefined;
  /** `closed`: no page of another origin may read an answer, whatever the app says. `app`: the app decides. */
  readonly cors: "closed" | "app";
}

/** Preload lists ask for two years, subdomains and the word (hstspreload.org). */
export const defaultFrontHeaders: FrontHeaders = Object.freeze({
  hsts: "max-age=63072000; includeSubDomains; preload",
  referrerPolicy: "no-referrer",
  cors: "closed",
});

/** They name the software behind us and its version to whoever looks for a weak one. */
const telltale: ReadonlySet<string> = new Set(["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"]);

function isDropped(name: string, front: FrontHeaders): boolean {
  if (telltale.has(name)) return true;
  if (name === "strict-transport-security") return front.hsts !== undefined;
  return name === "x-content-type-options" || (front.cors === "closed" && name.startsWith("access-control-"));
}

/** `headers` as the listener lets them out. */
export function withFrontHeaders(headers: HeaderList, front: FrontHeaders): HeaderList {
  const out: string[] = [];
  let hasPolicy = false;
  for (let i = 0; i < headers.length; i += 2) {
    const [name = "", value = ""] = [headers[i], headers[i + 1]];
    const lower = name.toLowerCase();
    if (isDropped(lower, front)) continue;
    hasPolicy ||= lower === "referrer-policy";
    out.push(name, value);
  }
  if (front.hsts !== undefined) out.push("strict-transport-security", front.hsts);
  if (front.referrerPolicy !== undefined && !hasPolicy) out.push("referrer-policy", front.referrerPolicy);
  out.push("x-content-type-options", "nosniff");
  return out;
}
