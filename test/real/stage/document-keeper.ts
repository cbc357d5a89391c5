import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A store of documents by path, as simple as can be: PUT keeps the bytes, GET gives them back. */
export class DocumentKeeper implements AsyncDisposable {
  readonly documents = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      void bytesOf(request).then((body) => {
        const path = request.url ?? "";
        if (request.method === "PUT") {
          this.documents.set(path, body);
          response.writeHead(204).end();
          return;
        }
        const kept = this.documents.get(path);
        if (kept === undefined) response.writeHead(404).end();
        else response.writeHead(200, { "content-type": "application/json" }).end(kept);
      });
    });
  }

  static async start(): Promise<DocumentKeeper> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new DocumentKeeper(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
