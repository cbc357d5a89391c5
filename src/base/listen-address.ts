import { BlockList, isIP } from "node:net";

/** Where a socket is bound: an IP literal and port, or a Unix socket. */
export type ListenAddress = TcpAddress | UnixAddress;

export interface TcpAddress {
  readonly kind: "tcp";
  /** IP literal, without brackets. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export interface UnixAddress {
  readonly kind: "unix";
  readonly path: string;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
loopback.addSubnet("::ffff:127.0.0.0", 104, "ipv6");

/** True for an IP literal that only this host (or pod) reaches. Names are never loopback: what they resolve to may change. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** Reads `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`; `undefined` when `text` is none of them. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) return text.length > 5 ? { kind: "unix", path: text.slice(5) } : undefined;
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(0|[1-9][0-9]{0,4})$/.exec(text);
  const [, six, four, digits] = match ?? [];
  const host = six ?? four;
  const port = Number(digits);
  if (host === undefined || port > 65_535 || isIP(host) !== (six === undefined ? 4 : 6)) return undefined;
  return { kind: "tcp", host, port };
}

/** The spelling that `parseListenAddress` reads back. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
