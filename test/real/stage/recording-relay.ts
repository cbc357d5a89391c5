import { once } from "node:events";
import {
  createServer as createPlainServer,
  connect as connectPlain,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";
import { createServer as createTlsServer, connect as connectTls } from "node:tls";

import type { TestIdentity } from "../../../src/app/demo/pki.ts";

export interface RelayOrder {
  /** Loopback port of the server behind. */
  readonly to: number;
  /** TLS 1.3 with client certificates on both sides, the plaintext in between; else plain TCP. */
  readonly tls?: RelayTls;
}

export interface RelayTls {
  readonly ca: string;
  /** Shown to clients. */
  readonly front: TestIdentity;
  /** Shown to the server behind. */
  readonly back: TestIdentity;
}

/** Stands between two peers and keeps every byte that they say to each other. */
export class RecordingRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sent: Buffer[] = [];

  private constructor({ to, tls }: RelayOrder) {
    if (tls === undefined) {
      this.#server = createPlainServer((front) => this.#join(front, connectPlain({ host: "127.0.0.1", port: to })));
      return;
    }
    const options = { ca: tls.ca, minVersion: "TLSv1.3" } as const;
    const server = createTlsServer({ ...options, ...tls.front, requestCert: true, rejectUnauthorized: true });
    server.on("secureConnection", (front) => {
      this.#join(front, connectTls({ ...options, ...tls.back, host: "127.0.0.1", port: to, servername: "localhost" }));
    });
    this.#server = server;
  }

  static async start(order: RelayOrder): Promise<RecordingRelay> {
    const relay = new RecordingRelay(order);
    await once(relay.#server.listen(0, "127.0.0.1"), "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What the clients sent, in the order it came. */
  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  #join(front: Socket, back: Socket): void {
    front.on("data", (chunk: Buffer) => this.#sent.push(chunk));
    front.pipe(back).pipe(front);
    for (const socket of [front, back]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        front.destroy();
        back.destroy();
        this.#sockets.delete(socket);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server.close(), "close");
  }
}
