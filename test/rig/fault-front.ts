import { once } from "node:events";
import {
  request as plainRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { createServer, request as tlsRequest, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { SecureVersion } from "node:tls";

import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";

/** An answer that the server behind never gave. */
export interface FrontAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** What becomes of a request. */
export type FrontFault =
  /** The server behind answers, after so long. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Taken, and never answered. */
  | { readonly kind: "hang" }
  /** Half of the true answer, then the connection is cut, or nothing more comes. */
  | { readonly kind: "reset" | "stall" }
  | ({ readonly kind: "answer" } & FrontAnswer);

/** What the front shows of itself. */
export type FrontFace = "good" | "other name" | "other authority" | "expired" | "TLS 1.2 only";

/**
 * Stands in TLS between a client and a key service that speaks HTTP, passes everything on, and breaks what it is told to
 * break. Counts what it was asked, so that tests can say that nothing was.
 */
export class FaultFront implements AsyncDisposable {
  /** Asked before each request; `undefined` = it passes. */
  fault: () => FrontFault | undefined = () => undefined;
  /** Requests that came through TLS. */
  requests = 0;
  /** The authority that vouches for the front's good face, PEM. */
  readonly ca: string;
  readonly #to: URL;
  readonly #backCa: string | undefined;
  readonly #faces: ReadonlyMap<FrontFace, TestIdentity>;
  readonly #server: Server;

  private constructor(order: FrontOrder, ca: string, faces: ReadonlyMap<FrontFace, TestIdentity>) {
    this.ca = ca;
    this.#to = new URL(order.to);
    this.#backCa = order.ca;
    this.#faces = faces;
    this.#server = createServer(this.#contextOf("good"), (request, response) => {
      this.requests += 1;
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on("tlsClientError", () => undefined);
  }

  static async start(order: FrontOrder): Promise<FaultFront> {
    const [pki, stranger] = await Promise.all([createTestPki(), createTestPki("Another CA")]);
    const front = new FaultFront(order, pki.ca, await facesOf(pki, stranger));
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get endpoint(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on; connections that stand are cut, so that every client looks again. */
  show(face: FrontFace): void {
    this.#server.setSecureContext(this.#contextOf(face));
    this.#server.closeAllConnections();
  }

  /** Whole again, with the good face. */
  mend(): void {
    this.fault = () => undefined;
    this.show("good");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  #contextOf(
    face: FrontFace,
  ): TestIdentity & { readonly minVersion: SecureVersion; readonly maxVersion: SecureVersion } {
    const old = face === "TLS 1.2 only";
    const identity = this.#faces.get(old ? "good" : face);
    if (identity === undefined) throw new Error(`no face ${face}`);
    return { ...identity, minVersion: old ? "TLSv1.2" : "TLSv1.3", maxVersion: old ? "TLSv1.2" : "TLSv1.3" };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.fault();
    const body = await bytesOf(request);
    if (fault?.kind === "hang") return;
    if (fault?.kind === "answer") {
      response.writeHead(fault.status, { "content-type": fault.type }).end(fault.body);
      return;
    }
    if (fault?.kind === "slow") await new Promise((settle) => setTimeout(settle, fault.ms).unref());
    const answer = await this.#askBehind(request, body);
    const bytes = await bytesOf(answer);
    const headers = withoutHopHeaders(answer.headers);
    response.writeHead(answer.statusCode ?? 502, { ...headers, "content-length": bytes.length });
    if (fault?.kind !== "reset" && fault?.kind !== "stall") {
      response.end(bytes);
      return;
    }
    response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => {
      if (fault.kind === "reset") request.socket.destroy();
    });
  }

  async #askBehind(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { method = "GET", url: path = "/" } = request;
    const { hostname: host, port, protocol } = this.#to;
    const headers = { ...withoutHopHeaders(request.headers), "content-length": body.length };
    const options: RequestOptions = { host, port, method, path, headers, agent: false };
    const asked = protocol === "https:" ? tlsRequest({ ...options, ca: this.#backCa }) : plainRequest(options);
    asked.end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return answer;
  }
}

export interface FrontOrder {
  /** Origin of the server behind. */
  readonly to: string;
  /** The authority that it is checked against, PEM. */
  readonly ca?: string;
}

async function facesOf(pki: TestPki, stranger: TestPki): Promise<ReadonlyMap<FrontFace, TestIdentity>> {
  const common = { name: "kms", ip: ["127.0.0.1"], usage: "server" } as const;
  const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
  return new Map<FrontFace, TestIdentity>([
    ["good", await pki.issue(common)],
    ["other name", await pki.issue({ ...common, ip: ["127.0.0.2"], dns: ["kms.example"] })],
    ["other authority", await stranger.issue(common)],
    ["expired", await pki.issue({ ...common, ...past })],
  ]);
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What concerns one connection only, and the length, which is given anew. */
function withoutHopHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const dropped = new Set([
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "te",
    "trailer",
  ]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
