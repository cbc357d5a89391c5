import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestIdentity } from "../../src/app/demo/pki.ts";
import { GcpFakeKey, rpcError, type GcpFakeAnswer, type RpcStatus } from "./gcp-fake-key.ts";
import { GcpFakeMetadata } from "./gcp-fake-metadata.ts";

export interface GcpFakeCall {
  readonly verb: string;
  readonly name: string;
  readonly token: string;
  readonly message: Readonly<Record<string, unknown>>;
}

type Body = GcpFakeAnswer["body"];

/** How one call goes wrong. `answer` edits the good answer before it is sent; `cut` ends the connection in its middle. */
export type GcpFault =
  | { readonly kind: "error"; readonly status: RpcStatus }
  | { readonly kind: "page"; readonly status: number; readonly text: string }
  | { readonly kind: "reset" | "cut" | "hang" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "answer"; readonly edit: (answer: Body) => Body };

/**
 * A FAKE of Cloud KMS v1 over TLS 1.3, written from the published proto and its REST mapping: encrypt and decrypt of one
 * symmetric key, checksums, errors, bearer tokens of a fake metadata server. No emulator exists and nothing here was compared
 * with the service: what holds against it is not certified against Google.
 */
export class GcpFake {
  readonly calls: GcpFakeCall[] = [];
  readonly key = new GcpFakeKey("projects/hospital/locations/europe-west3/keyRings/sealwright/cryptoKeys/patients");
  readonly metadata: GcpFakeMetadata;
  /** Asked before each call. */
  fault: (call: GcpFakeCall) => GcpFault | undefined = () => undefined;
  readonly #server: Server;

  private constructor(identity: TestIdentity, metadata: GcpFakeMetadata) {
    this.metadata = metadata;
    this.#server = createServer(
      { cert: identity.cert, key: identity.key, minVersion: "TLSv1.3" },
      (request, response) => void this.#serve(request, response),
    );
  }

  /** `identity` must be good for 127.0.0.1. `metadata`: another fake's, whose tokens are then good here too. */
  static async start(identity: TestIdentity, metadata?: GcpFakeMetadata): Promise<GcpFake> {
    const fake = new GcpFake(identity, metadata ?? (await GcpFakeMetadata.start()));
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get endpoint(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
    await this.metadata.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, name = "", verb = ""] = /^\/v1\/([^:?]+):([a-z]+)$/.exec(request.url ?? "") ?? [];
    const message = JSON.parse(Buffer.concat(chunks).toString()) as GcpFakeCall["message"];
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const call = { verb, name, token, message };
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault?.kind === "hang") return;
    if (fault?.kind === "delay") await new Promise((settle) => setTimeout(settle, fault.ms));
    if (fault?.kind === "reset") request.socket.destroy();
    else if (fault?.kind === "page") response.writeHead(fault.status, { "content-type": "text/html" }).end(fault.text);
    else send(response, this.#answer(request, call, fault), fault?.kind === "cut");
  }

  #answer(request: IncomingMessage, call: GcpFakeCall, fault: GcpFault | undefined): GcpFakeAnswer {
    if (fault?.kind === "error") return rpcError(fault.status);
    if (!this.metadata.isGood(call.token)) return rpcError("UNAUTHENTICATED");
    // Google's front end answers like this for a key that is not there or may not be used by the caller.
    if (request.method !== "POST" || call.name !== this.key.name) return rpcError("PERMISSION_DENIED");
    const answer = this.key.answer(call.verb, call.message);
    return fault?.kind === "answer" ? { ...answer, body: fault.edit(answer.body) } : answer;
  }
}

function send(response: ServerResponse, { status, body }: GcpFakeAnswer, cut: boolean): void {
  const text = JSON.stringify(body, undefined, 2);
  response.writeHead(status, {
    "content-type": "application/json; charset=UTF-8",
    "content-length": Buffer.byteLength(text),
  });
  if (!cut) response.end(text);
  else response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
}
