import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { ListenAddress } from "../base/listen-address.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Engine } from "../engine/engine.ts";
import type { RouteTable } from "../fieldmap/types.ts";
import type { FrontHeaders } from "./front-headers.ts";
import type { PeerRule } from "./peer-names.ts";
import type { Pin } from "./pins.ts";
import type { Direction } from "./request-headers.ts";
import type { TlsIdentity, TlsTrust } from "./tls.ts";

/** All in milliseconds. */
export interface Timeouts {
  /** For a request head, and for the TLS handshake. */
  readonly header: number;
  /** Between two pieces of a request's body, and between two pieces that the client takes of an answer. */
  readonly body: number;
  /** For the upstream's connection, for its head, and between two pieces of its body. */
  readonly upstream: number;
  /** For the whole exchange. */
  readonly total: number;
  /** An idle connection is kept this long. */
  readonly idle: number;
  /** Requests under way at a stop may take this long. */
  readonly drain: number;
}

export const defaultTimeouts: Timeouts = Object.freeze({
  header: 10_000,
  body: 30_000,
  upstream: 30_000,
  total: 120_000,
  idle: 60_000,
  drain: 25_000,
});

export const defaultMaxRequests = 512;
export const defaultMaxConnections = 4096;

export interface ListenerTls {
  readonly identity: TlsIdentity;
  /** Present = client certificates are required. `allow` empty = anybody the trust vouches for. */
  readonly clients: (TlsTrust & { readonly allow: readonly PeerRule[] }) | undefined;
}

export interface UpstreamOptions {
  /** `http://host:port` or `https://host:port`, no path. */
  readonly origin: string;
  /** For `https` only. */
  readonly tls:
    | {
        readonly identity: TlsIdentity | undefined;
        readonly trust: TlsTrust;
        /** Default: the origin's host. */
        readonly servername: string | undefined;
        readonly allow: readonly PeerRule[];
        readonly pins: readonly Pin[];
      }
    | undefined;
}

export interface ListenerPorts {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export interface ListenerOptions {
  readonly name: string;
  readonly direction: Direction;
  readonly listen: ListenAddress;
  readonly tls: ListenerTls | undefined;
  /** For inbound listeners. */
  readonly front: FrontHeaders | undefined;
  readonly upstream: UpstreamOptions;
  /** `passEverything` for a listener without field maps. */
  readonly routes: RouteTable;
  readonly engine: Engine;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** Requests under way at once; more are shed. */
  readonly maxRequests: number;
  readonly maxConnections: number;
  readonly ports: ListenerPorts;
}
