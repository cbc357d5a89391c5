import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { ListenAddress } from "../base/listen-address.ts";
import type { AdminAnswer, AdminPage, AdminPages } from "./admin-pages.ts";
import { bindServer, type BoundServer } from "./bind-server.ts";

/** These listeners carry probes and scrapes, so their limits are small and fixed. */
const limits = Object.freeze({
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  requestMs: 5_000,
  keepAliveMs: 30_000,
  connections: 64,
});

const refuse = (status: number, body: string): AdminAnswer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body: `${body}\n`,
});

/**
 * A web page that a browser on this host has open may send requests here under a host name of its own choice (DNS rebinding).
 * Only an IP literal or `localhost` names this listener.
 */
function isOwnHost(header: string | undefined): boolean {
  if (header === undefined) return true;
  const host = header.replace(/:[0-9]+$/, "").replace(/^\[(.*)\]$/, "$1");
  return host === "localhost" || isIP(host) !== 0;
}

export interface AdminListenerOptions {
  readonly address: ListenAddress;
  readonly pages: AdminPages;
  /** True where the listener is for this host only: other host names than its own are refused. */
  readonly ownHostOnly: boolean;
}

const methodsOf = ({ method }: AdminPage): readonly string[] => (method === "GET" ? ["GET", "HEAD"] : [method]);

async function answerOf(request: IncomingMessage, options: AdminListenerOptions): Promise<AdminAnswer> {
  if (options.ownHostOnly && !isOwnHost(request.headers.host)) return refuse(421, "misdirected request");
  const page = options.pages.get(request.url ?? "");
  if (page === undefined) return refuse(404, "no such page");
  if (!methodsOf(page).includes(request.method ?? "")) return refuse(405, `${page.method} only`);
  try {
    return await page.answer({ authorization: request.headers.authorization });
  } catch {
    return refuse(500, "internal");
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminListenerOptions,
): Promise<void> {
  const answer = await answerOf(request, options);
  // No page here takes a body: whatever comes with the request is not read, and its connection ends.
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  const page = options.pages.get(request.url ?? "");
  response.writeHead(answer.status, {
    "content-type": answer.contentType,
    "content-length": Buffer.byteLength(answer.body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(answer.status === 405 && page !== undefined ? { allow: methodsOf(page).join(", ") } : {}),
    ...(answer.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(answer.status === 429 ? { "retry-after": "1" } : {}),
    ...(hasBody ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

function createAdminServer(options: AdminListenerOptions): Server {
  const server = createServer(
    { maxHeaderSize: limits.headerBytes, keepAliveTimeout: limits.keepAliveMs },
    (request, response) => void respond(request, response, options),
  );
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.maxConnections = limits.connections;
  server.on("clientError", (_error, socket) => socket.destroy());
  server.on("checkContinue", (_request, response) => response.writeHead(417, { connection: "close" }).end());
  server.on("upgrade", (_request, socket) => socket.destroy());
  server.on("connect", (_request, socket) => socket.destroy());
  return server;
}

/** Starts a listener for probes, metrics or the admin pages. Throws `listen_failed`. */
export function startAdminListener(options: AdminListenerOptions): Promise<BoundServer> {
  return bindServer(createAdminServer(options), options.address);
}
