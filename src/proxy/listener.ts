import { once } from "node:events";
import { chmodSync } from "node:fs";
import type { Server } from "node:http";
import { formatListenAddress, isLoopback, type ListenAddress } from "../base/listen-address.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { Admission } from "./admission.ts";
import type { Upstream } from "./http-port.ts";
import type { ListenerOptions } from "./listener-options.ts";
import { NodeServer } from "./node-server.ts";
import { createPipeline } from "./pipeline.ts";
import { BoundListener, startSweep, type RunningListener } from "./running-listener.ts";
import { createUndiciUpstream } from "./undici-upstream.ts";
import type { UpstreamTls } from "./upstream-connector.ts";

const misconfigured = (reason: string): never => {
  throw new SealwrightError("config_invalid", { reason });
};

function upstreamHost(origin: string): string {
  return new URL(origin).hostname.replace(/^\[|\]$/g, "");
}

/** Clear text stays on this host; the loader says the same with a line number, this is the last look. */
function checkClearText(options: ListenerOptions): void {
  const { listen, tls, upstream } = options;
  if (tls === undefined && listen.kind === "tcp" && !isLoopback(listen.host))
    misconfigured("clear text beyond loopback");
  const { protocol } = new URL(upstream.origin);
  if (protocol === "https:" ? upstream.tls === undefined : upstream.tls !== undefined || protocol !== "http:")
    misconfigured("upstream scheme and TLS settings differ");
  const host = upstreamHost(upstream.origin);
  if (protocol === "http:" && host !== "localhost" && !isLoopback(host)) misconfigured("clear text upstream");
}

function upstreamTls(options: ListenerOptions): UpstreamTls | undefined {
  const { tls, origin } = options.upstream;
  if (tls === undefined) return undefined;
  const { identity, trust, allow, pins } = tls;
  return { identity, trust, pins, expected: { servername: tls.servername ?? upstreamHost(origin), allow } };
}

function createUpstream(options: ListenerOptions): Upstream {
  return createUndiciUpstream({
    origin: options.upstream.origin,
    tls: upstreamTls(options),
    connections: options.maxRequests,
    upstreamMs: options.timeouts.upstream,
    keepAliveMs: Math.min(options.timeouts.idle, 4000),
    clock: options.ports.clock,
  });
}

function createServer(options: ListenerOptions, upstream: Upstream, admission: Admission): NodeServer {
  const { name, direction, front, routes, engine, limits, timeouts, ports, tls } = options;
  const pipeline = createPipeline({
    listener: name,
    direction,
    front,
    routes,
    engine,
    limits,
    timeouts,
    ports,
    upstream,
    admission,
  });
  const server = {
    tls: tls === undefined ? undefined : { ...tls, handshakeMs: timeouts.header },
    allow: tls?.clients?.allow ?? [],
    headerMs: timeouts.header,
    idleMs: timeouts.idle,
    maxConnections: options.maxConnections,
    clock: ports.clock,
  };
  return new NodeServer(server, pipeline);
}

async function bind(server: Server, address: ListenAddress): Promise<ListenAddress> {
  try {
    const listening = once(server, "listening");
    server.listen(address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port });
    await listening;
  } catch (error) {
    throw new SealwrightError("listen_failed", { reason: formatListenAddress(address) }, error);
  }
  // Only the own user (and root) may speak with it.
  if (address.kind === "unix") chmodSync(address.path, 0o600);
  const bound = server.address();
  return address.kind === "unix" || bound === null || typeof bound === "string"
    ? address
    : { ...address, port: bound.port };
}

/** Binds one listener and serves it. Throws `listen_failed`, `config_invalid`. */
export async function startListener(options: ListenerOptions): Promise<RunningListener> {
  checkClearText(options);
  const { ports, timeouts } = options;
  const admission = new Admission(options.maxRequests, options.name, ports.metrics);
  const upstream = createUpstream(options);
  const server = createServer(options, upstream, admission);
  const address = await bind(server.server, options.listen);
  const stopSweep = startSweep(admission, ports.clock, Math.min(timeouts.body, timeouts.total) / 8);
  return new BoundListener({ address, server, upstream, admission, clock: ports.clock, stopSweep });
}
