import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { ErrorCode } from "../base/error-table.ts";
import { isOver } from "./certificate.ts";
import { ClientConnection } from "./client-connection.ts";
import { forwardedPeer } from "./forwarded-peer.ts";
import { H2Sessions } from "./h2-sessions.ts";
import type { Peer, RequestHandler } from "./http-port.ts";
import { NodeExchange } from "./node-exchange.ts";
import { isAllowed, type PeerRule } from "./peer-names.ts";
import { rawRefusal } from "./refusal.ts";
import { maxHeaderBytes } from "./request-head.ts";
import { isSameTrust, serverTlsOptions, type ServerTls } from "./tls.ts";
import { TrustAnchors } from "./trust-anchors.ts";

export interface NodeServerOptions {
  readonly tls: ServerTls | undefined;
  /** Whom the client's certificate must name one of. Empty = anybody the trust vouches for. */
  readonly allow: readonly PeerRule[];
  /** Milliseconds for a request head. */
  readonly headerMs: number;
  /** Milliseconds that an idle connection is kept. */
  readonly idleMs: number;
  readonly maxConnections: number;
  readonly clock: Clock;
}

const errorCodes: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["HPE_HEADER_OVERFLOW", "headers_too_large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "request_timeout"],
]);

/** Codes of the connection itself, not of what came over it. */
const connectionErrors: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT"]);

function nodeOptions(options: NodeServerOptions): ServerOptions {
  return {
    insecureHTTPParser: false,
    maxHeaderSize: maxHeaderBytes,
    // Checked with the other head rules, which answer in their own words.
    requireHostHeader: false,
    headersTimeout: options.headerMs,
    // Bodies have an idle limit of their own: a long one that moves is no slow one.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(Math.max(options.headerMs / 4, 50), 5000),
    keepAliveTimeout: options.idleMs,
    noDelay: true,
  };
}

/** Tells the open connections of a listener apart. */
const addressOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress ?? ""} ${remotePort ?? ""}`;

/** node:http or node:https under the port. */
export class NodeServer {
  readonly server: Server;
  readonly #handler: RequestHandler;
  readonly #options: NodeServerOptions;
  readonly #connections = new WeakMap<Duplex, ClientConnection>();
  /** Also those that are still shaking hands, which the HTTP server does not count as its own. */
  readonly #sockets = new Set<Socket>();
  readonly #secured = new Set<TLSSocket>();
  readonly #h2: H2Sessions;
  /** By the client's address: what was trusted when its handshake began. */
  readonly #handshakes = new Map<string, TrustAnchors | undefined>();
  #tls: ServerTls | undefined;
  /** What is trusted now, once that has changed. */
  #anchors: TrustAnchors | undefined;

  constructor(options: NodeServerOptions, handler: RequestHandler) {
    this.#handler = handler;
    this.#options = options;
    const { tls, idleMs, clock } = options;
    this.#tls = tls;
    this.#h2 = new H2Sessions({ idleMs, peerOf: (socket) => this.#peerOf(socket), handler, clock });
    this.server =
      tls === undefined
        ? createServer(nodeOptions(options))
        : createTlsServer({ ...nodeOptions(options), ...serverTlsOptions(tls) });
    // No bound by count: Node would drop what is beyond it in silence. The head checks refuse instead.
    this.server.maxHeadersCount = 0;
    this.server.maxConnections = options.maxConnections;
    this.#listen();
  }

  /**
   * From the next handshake on. Connections go on, but those whose client a changed trust no longer vouches for; tickets of
   * sessions before it are worth nothing any more. Throws `file_unreadable`, and nothing has changed then.
   */
  replaceTls(tls: Pick<ServerTls, "identity" | "clients">): void {
    if (!(this.server instanceof TlsServer) || this.#tls === undefined) return;
    const { clients } = tls;
    const changed = clients !== undefined && !isSameTrust(clients, this.#tls.clients);
    const anchors = changed ? new TrustAnchors(clients) : this.#anchors;
    const replaced = { ...tls, handshakeMs: this.#tls.handshakeMs };
    this.server.setSecureContext(serverTlsOptions(replaced));
    this.#tls = replaced;
    this.#anchors = anchors;
    if (clients === undefined) return;
    for (const socket of this.#secured) if (!this.#mayStay(socket, changed)) socket.destroy();
  }

  /** A resumed session shows no chain: behind an intermediate authority nobody can say whether a changed trust still vouches. */
  #mayStay(socket: TLSSocket, changed: boolean): boolean {
    const certificate = socket.getPeerX509Certificate();
    const now = this.#options.clock.wallMs();
    if (certificate === undefined || isOver(certificate, now)) return false;
    return !changed || this.#anchors === undefined || this.#anchors.vouchesFor(certificate, now);
  }

  /** Takes no new connection and no new request on those that wait for one. */
  beginDrain(): void {
    this.server.close();
    this.server.closeIdleConnections();
    this.#h2.drain();
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(): void {
    const { server } = this;
    server.on("connection", (socket: Socket) => {
      const client = addressOf(socket);
      this.#sockets.add(socket);
      if (this.#tls !== undefined) this.#handshakes.set(client, this.#anchors);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#handshakes.delete(client);
      });
    });
    this.#splitProtocols();
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#take(request, response, false));
    server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response, true),
    );
    server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response, false),
    );
    server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
      socket.on("error", () => undefined);
      socket.end(rawRefusal("method_not_allowed"), () => socket.destroy());
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => this.#broken(error, socket));
  }

  /** Behind the handshake: the protocol that the client chose (ALPN). */
  #splitProtocols(): void {
    const { server } = this;
    const [serveHttp1] = server.listeners("secureConnection");
    if (serveHttp1 === undefined) return;
    server.removeAllListeners("secureConnection");
    server.on("secureConnection", (socket: TLSSocket) => {
      const changed = this.#handshakes.get(addressOf(socket)) !== this.#anchors;
      if (changed && !this.#mayStay(socket, true)) {
        socket.destroy();
        return;
      }
      this.#secured.add(socket);
      socket.on("close", () => this.#secured.delete(socket));
      if (socket.alpnProtocol === "h2") this.#h2.take(socket);
      else Reflect.apply(serveHttp1, server, [socket]);
    });
  }

  #take(request: IncomingMessage, response: ServerResponse, expects: boolean): void {
    const connection = this.#connectionOf(request.socket);
    connection.add(new NodeExchange({ request, response, expects }, connection, this.#handler));
  }

  #connectionOf(socket: Socket): ClientConnection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = new ClientConnection(socket, this.#peerOf(socket));
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  /** Looked at once per connection. A resumed session brings the certificate of the first one, which may have ended since. */
  #peerOf(socket: Socket): Peer {
    if (this.#tls?.clients === undefined) return { allowed: true, forwarded: undefined };
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (certificate === undefined || isOver(certificate, this.#options.clock.wallMs()))
      return { allowed: false, forwarded: undefined };
    const { allow } = this.#options;
    const allowed = allow.length === 0 || isAllowed(allow, certificate.subjectAltName);
    return { allowed, forwarded: forwardedPeer(certificate) };
  }

  #broken(error: NodeJS.ErrnoException, socket: Duplex): void {
    const code = error.code ?? "";
    if (connectionErrors.has(code) || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    this.#connectionOf(socket).parseFailed(errorCodes.get(code) ?? "http_invalid");
  }
}
