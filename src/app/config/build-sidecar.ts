import { resolve } from "node:path";
import type { RouteTable } from "../../fieldmap/types.ts";
import type { ListenAddress } from "../../base/listen-address.ts";
import { namesConfigMap } from "../../keys/keyring/stores/config-map-name.ts";
import type { KeysConfig } from "../../keys/keys-config.ts";
import { defaultFrontHeaders, type FrontHeaders } from "../../proxy/front-headers.ts";
import { defaultTimeouts, type Timeouts } from "../../proxy/listener-options.ts";
import { kmsConfig } from "./build-kms.ts";
import { limitsOf } from "./contradiction-rules.ts";
import type { KeysFile } from "./keys-schema.ts";
import type { ListenerFile } from "./listener-schema.ts";
import type {
  IdentityFiles,
  ListenerConfig,
  ListenerTlsConfig,
  SidecarConfig,
  TrustFiles,
  UpstreamConfig,
} from "./sidecar-config.ts";
import { longestTimerMs } from "./scalars.ts";
import type { SidecarFile } from "./sidecar-schema.ts";

/** Names of a checked file, resolved. */
interface Names {
  readonly file: SidecarFile;
  /** Where relative paths begin. */
  readonly folder: string;
}

function identityFiles({ file, folder }: Names, name: string): IdentityFiles {
  const { cert = "", key = "" } = file.identities[name] ?? {};
  return Object.freeze({ cert: resolve(folder, cert), key: resolve(folder, key) });
}

function trustFiles({ file, folder }: Names, name: string): TrustFiles {
  const { ca = "", crl } = file.trust[name] ?? {};
  return Object.freeze({ ca: resolve(folder, ca), crl: crl === undefined ? undefined : resolve(folder, crl) });
}

function listenerTls(names: Names, { tls }: ListenerFile): ListenerTlsConfig | undefined {
  if (tls === undefined) return undefined;
  const { identity, clients } = tls;
  return Object.freeze({
    identity: identityFiles(names, identity),
    clients:
      clients === undefined
        ? undefined
        : Object.freeze({ trust: trustFiles(names, clients.trust), allow: Object.freeze(clients.allow ?? []) }),
  });
}

function upstreamOf(names: Names, { upstream }: ListenerFile): UpstreamConfig {
  const { url, identity, trust, allow = [], pins, pinFile } = upstream;
  const tls =
    trust === undefined
      ? undefined
      : Object.freeze({
          identity: identity === undefined ? undefined : identityFiles(names, identity),
          trust: trustFiles(names, trust),
          allow: Object.freeze(allow),
          pins: Object.freeze(pins),
          pinFile: pinFile === undefined ? undefined : resolve(names.folder, pinFile),
        });
  return Object.freeze({ origin: url.origin, tls });
}

function frontOf({ direction, headers = {} }: ListenerFile): FrontHeaders | undefined {
  if (direction === "outbound") return undefined;
  const { hsts, referrerPolicy, cors } = headers;
  return Object.freeze({
    hsts: hsts === "off" ? undefined : (hsts ?? defaultFrontHeaders.hsts),
    referrerPolicy: referrerPolicy === "off" ? undefined : (referrerPolicy ?? defaultFrontHeaders.referrerPolicy),
    cors: cors ?? defaultFrontHeaders.cors,
  });
}

function timeoutsOf({ timeouts = {} }: ListenerFile): Timeouts {
  const { header, body, upstream, total, idle, drain } = timeouts;
  return Object.freeze({
    header: header ?? defaultTimeouts.header,
    body: body ?? defaultTimeouts.body,
    upstream: upstream ?? defaultTimeouts.upstream,
    total: total === "off" ? longestTimerMs : (total ?? defaultTimeouts.total),
    idle: idle ?? defaultTimeouts.idle,
    drain: drain ?? defaultTimeouts.drain,
  });
}

function keysConfig(keys: KeysFile | undefined, folder: string): KeysConfig | undefined {
  if (keys === undefined) return undefined;
  const keyring =
    keys.keyring === undefined || namesConfigMap(keys.keyring) ? keys.keyring : resolve(folder, keys.keyring);
  const usageReport = keys.usageReport === undefined ? undefined : resolve(folder, keys.usageReport);
  return Object.freeze({ ...keys, keyring, usageReport });
}

const listenOf = (socket: { readonly listen: ListenAddress } | undefined): ListenAddress | undefined => socket?.listen;

export interface SidecarParts extends Names {
  /** As it was given, for messages. */
  readonly path: string;
  /** Route tables of the listeners that have field maps, by listener name. */
  readonly routes: ReadonlyMap<string, RouteTable>;
}

/** The frozen configuration of a file that breaks no rule. */
export function buildSidecar(parts: SidecarParts): SidecarConfig {
  const { file, folder } = parts;
  const listeners = file.listeners.map((listener): ListenerConfig =>
    Object.freeze({
      name: listener.name,
      direction: listener.direction,
      listen: listener.listen,
      tls: listenerTls(parts, listener),
      front: frontOf(listener),
      upstream: upstreamOf(parts, listener),
      datasets: Object.freeze(listener.fieldMaps ?? []),
      routes: parts.routes.get(listener.name),
      maxRequests: listener.requests,
      maxConnections: listener.connections,
      limits: limitsOf(listener),
      timeouts: timeoutsOf(listener),
    }),
  );
  return Object.freeze({
    file: parts.path,
    log: Object.freeze(file.log),
    admin: file.admin.listen,
    adminTokenFile: file.admin.tokenFile === undefined ? undefined : resolve(folder, file.admin.tokenFile),
    probes: listenOf(file.probes),
    metrics: listenOf(file.metrics),
    kms: new Map(Object.entries(file.kms).map(([name, kms]) => [name, kmsConfig(kms, folder)])),
    keys: keysConfig(file.keys, folder),
    listeners: Object.freeze(listeners),
  });
}
