/** Where a listener forwards: scheme, host and port, nothing else. */
export interface UpstreamUrl {
  readonly protocol: "http:" | "https:";
  /** Host name or IP literal without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** `https://couch.db:6984`. */
  readonly origin: string;
}

/** Reads an upstream's URL; `undefined` when it has a path, a query, a user or another scheme. */
export function parseUpstreamUrl(text: string): UpstreamUrl | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  if (text !== url.origin && text !== `${url.protocol}//${url.hostname}:${defaultPort(url)}`) return undefined;
  return {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port === "" ? defaultPort(url) : url.port),
    origin: url.origin,
  };
}

const defaultPort = (url: URL): string => (url.protocol === "https:" ? "443" : "80");
