import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { HttpReader, type HttpMessage } from "../rig/http-reader.ts";

export interface PlainConnection {
  readonly socket: Socket;
  readonly chunks: Buffer[];
  readonly reader: HttpReader;
  /** `undefined` while open. Clean = the peer ended it, else it was reset or broken. */
  closed: "clean" | "reset" | undefined;
}

export type Answering = (request: HttpMessage, connection: PlainConnection) => void;

export const answerBytes = (body: string, headers: readonly string[] = ["content-type: application/json"]): string =>
  ["HTTP/1.1 200 OK", ...headers, `content-length: ${Buffer.byteLength(body)}`, "", body].join("\r\n");

/** An upstream that records every byte per connection and answers by script. */
export class PlainUpstream {
  readonly connections: PlainConnection[] = [];
  /** Called for each complete request. */
  answer: Answering = (_request, { socket }) => socket.write(answerBytes('{"ok":true}'));
  /** Called for each chunk, before it is read as HTTP. */
  seen: (connection: PlainConnection, chunk: Buffer) => void = () => undefined;
  readonly #server: Server;

  private constructor(tls: TlsOptions | undefined) {
    this.#server = tls === undefined ? createServer({ noDelay: true }) : createTlsServer(tls);
    this.#server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => this.#serve(socket));
    this.#server.on("tlsClientError", () => undefined);
  }

  static async start(tls?: TlsOptions): Promise<PlainUpstream> {
    const upstream = new PlainUpstream(tls);
    upstream.#server.listen(0, "127.0.0.1");
    await once(upstream.#server, "listening");
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get requests(): readonly HttpMessage[] {
    return this.connections.flatMap((connection) => connection.reader.messages);
  }

  /** All bytes of all connections. */
  get bytes(): string {
    return this.connections.map((connection) => Buffer.concat(connection.chunks).toString("latin1")).join("\n===\n");
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((settle) => this.#server.close(settle));
  }

  #serve(socket: Socket): void {
    const connection: PlainConnection = {
      socket,
      chunks: [],
      reader: new HttpReader({ kind: "requests" }),
      closed: undefined,
    };
    this.connections.push(connection);
    socket.on("data", (chunk: Buffer) => {
      connection.chunks.push(chunk);
      this.seen(connection, chunk);
      for (const request of connection.reader.write(chunk)) this.answer(request, connection);
    });
    socket.on("end", () => (connection.closed ??= "clean"));
    socket.on("error", () => (connection.closed ??= "reset"));
    socket.on("close", () => (connection.closed ??= "reset"));
  }
}
