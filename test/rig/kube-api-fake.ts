import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestIdentity } from "../../src/app/demo/pki.ts";

export interface FakeConfigMap {
  apiVersion: "v1";
  kind: "ConfigMap";
  metadata: { name: string; namespace: string; resourceVersion: string; [member: string]: unknown };
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export interface KubeCall {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly token: string;
}

/** `done`: the request has its effect, and then: no answer, or this one. `instead`: it has none. */
export type KubeFault =
  | { readonly done: "reset" }
  | { readonly instead: "reset" | "hang" }
  | { readonly instead: "answer"; readonly status: number; readonly text: string };

const longestData = 1024 * 1024;

/**
 * A FAKE of the Kubernetes API, over TLS 1.3: get, create and merge-patch of ConfigMaps with optimistic locking as its
 * documentation has it (a patch that names a resource version fails with 409 where there is another). Nothing here was
 * compared with a cluster.
 */
export class KubeApiFake {
  readonly calls: KubeCall[] = [];
  readonly maps = new Map<string, FakeConfigMap>();
  tokens = new Set(["first"]);
  fault: (call: KubeCall) => KubeFault | undefined = () => undefined;
  readonly #server: Server;
  #version = 1000;

  private constructor(identity: TestIdentity) {
    this.#server = createServer(
      { cert: identity.cert, key: identity.key, minVersion: "TLSv1.3" },
      (request, response) => void this.#serve(request, response),
    );
  }

  static async start(identity: TestIdentity): Promise<KubeApiFake> {
    const fake = new KubeApiFake(identity);
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get origin(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  /** As somebody else changes it. */
  edit(path: string, change: (map: FakeConfigMap) => void): void {
    const map = this.maps.get(path);
    if (map === undefined) return;
    change(map);
    map.metadata.resourceVersion = this.#next();
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call: KubeCall = {
      method: request.method ?? "",
      path: request.url ?? "",
      contentType: request.headers["content-type"] ?? "",
      token: (request.headers.authorization ?? "").replace(/^Bearer /, ""),
    };
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault !== undefined && "instead" in fault) {
      if (fault.instead === "reset") request.socket.destroy();
      if (fault.instead === "answer") response.writeHead(fault.status).end(fault.text);
      return;
    }
    const { status, body } = this.#answer(call, Buffer.concat(chunks).toString());
    if (fault?.done === "reset") request.socket.destroy();
    else response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  #answer(call: KubeCall, text: string): { status: number; body: object } {
    if (!this.tokens.has(call.token)) return refusal(401, "Unauthorized");
    const found = this.maps.get(call.path);
    if (call.method === "POST") return this.#created(call, JSON.parse(text) as FakeConfigMap);
    if (found === undefined) return refusal(404, "NotFound");
    return call.method === "GET" ? { status: 200, body: found } : this.#patched(call, found, text);
  }

  #created(call: KubeCall, map: FakeConfigMap): { status: number; body: object } {
    const path = `${call.path}/${map.metadata.name}`;
    if (this.maps.has(path)) return refusal(409, "AlreadyExists");
    if (sizeOf(map) > longestData) return refusal(422, "Invalid");
    map.metadata.resourceVersion = this.#next();
    this.maps.set(path, map);
    return { status: 201, body: map };
  }

  #patched(call: KubeCall, map: FakeConfigMap, text: string): { status: number; body: object } {
    if (call.contentType !== "application/merge-patch+json") return refusal(415, "UnsupportedMediaType");
    const patch = JSON.parse(text) as Partial<FakeConfigMap>;
    const { resourceVersion } = patch.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== map.metadata.resourceVersion)
      return refusal(409, "Conflict");
    const patched = { ...map, data: { ...map.data, ...patch.data } };
    if (sizeOf(patched) > longestData) return refusal(422, "Invalid");
    patched.metadata = { ...map.metadata, resourceVersion: this.#next() };
    this.maps.set(call.path, patched);
    return { status: 200, body: patched };
  }
}

function sizeOf({ data = {} }: FakeConfigMap): number {
  return Object.entries(data).reduce((sum, [key, text]) => sum + key.length + Buffer.byteLength(text), 0);
}

function refusal(code: number, reason: string): { status: number; body: object } {
  return { status: code, body: { kind: "Status", apiVersion: "v1", status: "Failure", reason, code } };
}
