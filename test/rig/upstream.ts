import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";

import type { TestIdentity } from "../../src/app/demo/pki.ts";
import { HttpReader, headerOf, type HttpMessage } from "./http-reader.ts";

/** What the upstream does with one request. */
export type Reply =
  | { readonly kind: "answer"; readonly status?: number; readonly headers?: Headers; readonly body?: Buffer | string }
  /** Exactly these bytes, then the connection is closed when `close` is true. */
  | { readonly kind: "raw"; readonly bytes: Buffer | string; readonly close?: boolean }
  | { readonly kind: "reset" }
  | { readonly kind: "silence" };

type Headers = Readonly<Record<string, string>>;

export interface UpstreamConnection {
  /** Every byte that came, in order. */
  readonly chunks: Buffer[];
  readonly reader: HttpReader;
  /** `undefined` while open. Clean = the peer ended it, else it was reset or broken. */
  closed: "clean" | "reset" | undefined;
  readonly protocol: string | null;
  readonly authorized: boolean;
  /** Bytes of answers that the peer has not taken yet. */
  readonly unsentBytes: () => number;
}

/** A stored document: what the last write of its path held. */
export interface StoredDocument {
  body: Buffer;
  headers: Headers;
}

/**
 * A store that records raw bytes per connection. It takes TLS 1.3 with a client certificate only. Writes are kept by path
 * and reads give them back; tests edit `stored` or script replies to play a hostile store.
 */
export class RecordingUpstream {
  readonly connections: UpstreamConnection[] = [];
  readonly stored = new Map<string, StoredDocument>();
  readonly #scripts: { match: (request: HttpMessage) => boolean; reply: Reply }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(identity: TestIdentity, ca: string) {
    this.#server = createServer({
      ...identity,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
    });
    this.#server.on("secureConnection", (socket) => this.#serve(socket));
    this.#server.on("tlsClientError", () => undefined);
  }

  static async start(identity: TestIdentity, ca: string): Promise<RecordingUpstream> {
    const upstream = new RecordingUpstream(identity, ca);
    upstream.#server.listen(0, "127.0.0.1");
    await once(upstream.#server, "listening");
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Complete requests in the order they came, over all connections that are still recorded. */
  get requests(): readonly HttpMessage[] {
    return this.connections.flatMap((connection) => connection.reader.messages);
  }

  /** The next request whose target contains `target` gets `reply` instead of the store's answer. */
  script(target: string, reply: Reply): void {
    this.#scripts.push({ match: (request) => (request.start.split(" ")[1] ?? "").includes(target), reply });
  }

  /** Makes reads of `path` give `body`. */
  plant(path: string, body: Buffer | string, headers: Headers = { "content-type": "application/json" }): void {
    this.stored.set(path, { body: Buffer.from(body), headers });
  }

  /** The stored bytes of `path`; a path that nobody wrote is empty. */
  bodyOf(path: string): Buffer {
    return this.stored.get(path)?.body ?? Buffer.alloc(0);
  }

  /** Drops the records of connections that have ended. */
  forget(): void {
    const open = this.connections.filter((connection) => connection.closed === undefined);
    for (const { chunks, reader } of open) {
      chunks.length = 0;
      reader.messages.length = 0;
    }
    this.connections.splice(0, this.connections.length, ...open);
    this.#scripts.length = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((settle) => this.#server.close(settle));
  }

  #serve(socket: TLSSocket): void {
    this.#sockets.add(socket);
    const connection: UpstreamConnection = {
      chunks: [],
      reader: new HttpReader({ kind: "requests" }),
      closed: undefined,
      protocol: socket.getProtocol(),
      authorized: socket.authorized,
      unsentBytes: () => socket.writableLength,
    };
    this.connections.push(connection);
    socket.on("data", (chunk: Buffer) => {
      connection.chunks.push(chunk);
      for (const request of connection.reader.write(chunk)) this.#answer(socket, request);
    });
    socket.on("end", () => (connection.closed ??= "clean"));
    socket.on("error", () => (connection.closed ??= "reset"));
    socket.on("close", () => {
      connection.closed ??= "reset";
      this.#sockets.delete(socket);
    });
  }

  #answer(socket: TLSSocket, request: HttpMessage): void {
    const scripted = this.#scripts.findIndex((script) => script.match(request));
    const reply = scripted < 0 ? this.#store(request) : this.#scripts.splice(scripted, 1)[0]!.reply;
    switch (reply.kind) {
      case "answer":
        socket.write(encodeAnswer(reply, request.start.startsWith("HEAD ")));
        return;
      case "raw":
        socket.write(reply.bytes);
        if (reply.close === true) socket.end();
        return;
      case "reset":
        socket.destroy();
        return;
      case "silence":
        return;
    }
  }

  #store(request: HttpMessage): Reply {
    const [method = "", target = ""] = request.start.split(" ");
    const path = target.split("?")[0] ?? "";
    const kept = this.stored.get(path);
    if (method === "GET" || method === "HEAD") {
      return kept === undefined
        ? { kind: "answer", status: 404, headers: { "content-type": "application/json" }, body: '{"error":"none"}' }
        : { kind: "answer", headers: kept.headers, body: kept.body };
    }
    if (method === "DELETE") {
      this.stored.delete(path);
      return { kind: "answer", status: 204 };
    }
    const encoding = headerOf(request, "content-encoding");
    this.stored.set(path, {
      body: request.body,
      headers: {
        "content-type": headerOf(request, "content-type") ?? "application/json",
        ...(encoding === undefined ? {} : { "content-encoding": encoding }),
      },
    });
    return { kind: "answer", status: method === "POST" ? 201 : 204 };
  }
}

function encodeAnswer(reply: Extract<Reply, { kind: "answer" }>, head: boolean): Buffer {
  const status = reply.status ?? 200;
  const body = Buffer.from(reply.body ?? "");
  const framing = status === 204 || status === 304 ? [] : [`content-length: ${body.length}`];
  const fields = Object.entries(reply.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const lines = [`HTTP/1.1 ${status} Any`, ...fields, ...framing, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(lines, "latin1"), head || framing.length === 0 ? Buffer.alloc(0) : body]);
}
