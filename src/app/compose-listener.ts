import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createEngine } from "../engine/create-engine.ts";
import type { LiveKeys } from "../keys/keys.ts";
import type { ListenerOptions, ListenerTls, UpstreamOptions } from "../proxy/listener-options.ts";
import { passEverything } from "../proxy/pass-everything.ts";
import type { TlsMaterial } from "../proxy/running-listener.ts";
import type { ListenerConfig } from "./config/sidecar-config.ts";

/** What all listeners share. */
export interface Shared {
  readonly keys: LiveKeys;
  readonly log: Log;
  readonly metrics: Metrics;
}

function tlsOf({ tls }: ListenerConfig, { server }: TlsMaterial): ListenerTls | undefined {
  if (tls === undefined || server === undefined) return undefined;
  const { identity, clients } = server;
  return { identity, clients: clients === undefined ? undefined : { ...clients, allow: tls.clients?.allow ?? [] } };
}

function upstreamOf({ upstream: { origin, tls } }: ListenerConfig, { upstream }: TlsMaterial): UpstreamOptions {
  if (tls === undefined || upstream === undefined) return { origin, tls: undefined };
  return { origin, tls: { ...upstream, servername: undefined, allow: tls.allow } };
}

/**
 * One listener, as its request path reads: a socket with or without TLS, the routes of its field maps, the engine that seals
 * and opens with the shared keys under the listener's own limits, and the upstream.
 */
export function composeListener(
  config: ListenerConfig,
  material: TlsMaterial,
  { keys, log, metrics }: Shared,
): ListenerOptions {
  const { name, direction, listen, limits, timeouts, maxRequests, maxConnections } = config;
  return {
    name,
    direction,
    listen,
    tls: tlsOf(config, material),
    front: config.front,
    routes: config.routes ?? passEverything,
    engine: createEngine({ keys, limits, metrics, clock: systemClock }),
    upstream: upstreamOf(config, material),
    limits,
    timeouts,
    maxRequests,
    maxConnections,
    ports: { log, metrics, clock: systemClock },
  };
}
