import type { Limits } from "../../base/limits.ts";
import type { ListenAddress } from "../../base/listen-address.ts";
import type { RouteTable } from "../../fieldmap/types.ts";
import type { KeysConfig } from "../../keys/keys-config.ts";
import type { KmsConfig } from "../../kms/kms-config.ts";
import type { FrontHeaders } from "../../proxy/front-headers.ts";
import type { Timeouts } from "../../proxy/listener-options.ts";
import type { PeerRule } from "../../proxy/peer-names.ts";
import type { Pin } from "../../proxy/pins.ts";
import type { LogLevel } from "../../ops/log.ts";

/** A certificate that this process shows. Paths are absolute, here and below. */
export interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
}

/** Whom this process believes. */
export interface TrustFiles {
  readonly ca: string;
  readonly crl: string | undefined;
}

export interface ListenerTlsConfig {
  readonly identity: IdentityFiles;
  /** Present = clients must show a certificate of this trust. `allow` empty = any of it. */
  readonly clients: { readonly trust: TrustFiles; readonly allow: readonly PeerRule[] } | undefined;
}

export interface UpstreamConfig {
  /** `https://couch.db:6984` */
  readonly origin: string;
  /** For https. */
  readonly tls:
    | {
        readonly identity: IdentityFiles | undefined;
        readonly trust: TrustFiles;
        readonly allow: readonly PeerRule[];
        readonly pins: readonly Pin[];
        /** A file with more of them. */
        readonly pinFile: string | undefined;
      }
    | undefined;
}

export interface ListenerConfig {
  readonly name: string;
  readonly direction: "inbound" | "outbound";
  readonly listen: ListenAddress;
  readonly tls: ListenerTlsConfig | undefined;
  /** What browsers are told; absent on outbound listeners. */
  readonly front: FrontHeaders | undefined;
  readonly upstream: UpstreamConfig;
  /** Names of the datasets whose field maps rule here; none = everything passes as it is. */
  readonly datasets: readonly string[];
  /** Absent without field maps. */
  readonly routes: RouteTable | undefined;
  readonly maxRequests: number;
  readonly maxConnections: number;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
}

/** The whole configuration, checked and frozen. */
export interface SidecarConfig {
  /** Path of the sidecar file as it was given. */
  readonly file: string;
  readonly log: { readonly level: LogLevel; readonly to: "stdout" | "stderr" };
  readonly admin: ListenAddress;
  /** Absent = nobody may change the running sidecar through the admin listener. */
  readonly adminTokenFile: string | undefined;
  readonly probes: ListenAddress | undefined;
  readonly metrics: ListenAddress | undefined;
  readonly kms: ReadonlyMap<string, KmsConfig>;
  /** Absent where no listener has field maps. */
  readonly keys: KeysConfig | undefined;
  readonly listeners: readonly ListenerConfig[];
}
