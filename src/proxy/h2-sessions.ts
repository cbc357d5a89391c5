import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { H2Exchange } from "./h2-exchange.ts";
import type { HeaderList, Peer, RequestHandler } from "./http-port.ts";
import { maxHeaderBytes, maxHeaderLines } from "./request-head.ts";

/** Requests that one client may have under way on one connection. */
const mostStreams = 128;
/** Streams that a client may reset in a burst, and per second from then on: beyond it is told to calm down and goes (CVE-2023-44487). */
const resetBurst = 200;
const resetsPerSecond = 33;
/** Frames and streams of a connection that the library may refuse before it ends it. */
const mostInvalidFrames = 32;
const mostRejectedStreams = 100;
/** Megabytes that one connection may hold. */
const sessionMemory = 8;
const mostSettings = 16;

export interface H2Options {
  /** Milliseconds that a connection without a request is kept. */
  readonly idleMs: number;
  readonly peerOf: (socket: TLSSocket) => Peer;
  readonly handler: RequestHandler;
  readonly clock: Clock;
}

/** The HTTP/2 side of a listener: it gets the connections on which a client has chosen h2. */
export class H2Sessions {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #peers = new WeakMap<ServerHttp2Session, Peer>();
  readonly #options: H2Options;
  #draining = false;

  constructor(options: H2Options) {
    this.#options = options;
    this.#server = createServer({
      maxSessionMemory: sessionMemory,
      maxHeaderListPairs: maxHeaderLines + 8,
      maxSettings: mostSettings,
      maxSessionInvalidFrames: mostInvalidFrames,
      maxSessionRejectedStreams: mostRejectedStreams,
      streamResetBurst: resetBurst,
      streamResetRate: resetsPerSecond,
      // What an upstream repeats goes on as over HTTP/1.1; of requests the head checks refuse what must not be repeated.
      strictSingleValueFields: false,
      settings: {
        maxConcurrentStreams: mostStreams,
        maxHeaderListSize: maxHeaderBytes,
        enablePush: false,
        enableConnectProtocol: false,
      },
    });
    this.#server.on("stream", (stream: ServerHttp2Stream, _headers: unknown, _flags: number, raw: HeaderList) =>
      this.#serve(stream, raw),
    );
    // A broken session ends by itself; without a listener it would end the process.
    this.#server.on("sessionError", () => undefined);
  }

  take(socket: TLSSocket): void {
    const watch = (session: ServerHttp2Session): void => {
      this.#watch(session);
      this.#endAfter(session, socket);
    };
    this.#server.once("session", watch);
    this.#server.emit("connection", socket);
    this.#server.off("session", watch);
  }

  /** Requests under way go on; new ones are not taken (GOAWAY). */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
  }

  #watch(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    session.on("error", () => undefined);
    let streams = 0;
    session.on("stream", (stream) => {
      streams += 1;
      stream.on("close", () => (streams -= 1));
    });
    // Requests have their own limits of time; a connection without any is given up.
    session.setTimeout(this.#options.idleMs);
    session.on("timeout", () => {
      if (streams === 0) session.close();
    });
    if (this.#draining) session.close();
  }

  /** When a session is over, the library waits for the client to end the connection, or to read what is left: not for ever. */
  #endAfter(session: ServerHttp2Session, socket: TLSSocket): void {
    const { clock, idleMs } = this.#options;
    let cancel = (): void => undefined;
    const look = (wasOver: boolean): void => {
      if (wasOver) socket.destroy();
      else cancel = clock.after(idleMs, () => look(session.destroyed));
    };
    look(false);
    socket.on("close", () => cancel());
  }

  #serve(stream: ServerHttp2Stream, headers: HeaderList): void {
    const { session } = stream;
    if (session === undefined) return;
    new H2Exchange({ stream, headers }, this.#peerOf(session as ServerHttp2Session)).serve(this.#options.handler);
  }

  /** Looked at once per connection. */
  #peerOf(session: ServerHttp2Session): Peer {
    const known = this.#peers.get(session);
    if (known !== undefined) return known;
    const peer = this.#options.peerOf(session.socket as TLSSocket);
    this.#peers.set(session, peer);
    return peer;
  }
}
