import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands in for the metadata server of a GKE node: plain HTTP, access tokens of the default service account. */
export class GcpFakeMetadata {
  readonly #server: Server;
  #issued = 0;
  /** Seconds that tokens are said to last; they are good for as long as nobody revokes them. */
  lifetime = 3600;
  /** Status in place of a token. */
  failure: number | undefined;
  readonly #good = new Set<string>();

  constructor() {
    this.#server = createServer((request, response) => {
      response.setHeader("metadata-flavor", "Google");
      if (request.headers["metadata-flavor"] !== "Google") response.writeHead(403).end();
      else if (request.url?.includes("/service-accounts/default/token") !== true)
        response.writeHead(200).end("default");
      else if (this.failure !== undefined) response.writeHead(this.failure).end();
      else {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ access_token: this.#issue(), expires_in: this.lifetime, token_type: "Bearer" }));
      }
    });
  }

  static async start(): Promise<GcpFakeMetadata> {
    const metadata = new GcpFakeMetadata();
    metadata.#server.listen(0, "127.0.0.1");
    await once(metadata.#server, "listening");
    return metadata;
  }

  /** For GCE_METADATA_HOST. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Tokens given so far. */
  get issued(): number {
    return this.#issued;
  }

  isGood(token: string): boolean {
    return this.#good.has(token);
  }

  /** No token that was given is good any more. */
  revoke(): void {
    this.#good.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  #issue(): string {
    this.#issued += 1;
    const token = `ya29.fake-${this.#issued}`;
    this.#good.add(token);
    return token;
  }
}
