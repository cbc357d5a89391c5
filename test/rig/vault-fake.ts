import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";

import type { TestIdentity } from "../../src/app/demo/pki.ts";

/** A request as it came. */
export interface VaultRequest {
  readonly method: string;
  /** Behind `/v1/`. */
  readonly path: string;
  readonly token: string | undefined;
  readonly namespace: string | undefined;
  readonly message: Readonly<Record<string, unknown>>;
  /** Common name of the certificate that TLS showed. */
  readonly client: string | undefined;
}

export interface VaultReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface TransitKey {
  readonly derived: boolean;
  latest: number;
}

/** Plays the transit engine and the logins of Vault over TLS: what the tests need of it, in the words that OpenBao uses. */
export class VaultFake implements AsyncDisposable {
  readonly requests: VaultRequest[] = [];
  readonly keys = new Map<string, TransitKey>([["patients", { derived: true, latest: 1 }]]);
  /** Tokens that are good. */
  readonly tokens = new Set<string>();
  /** What a login grants beside the token. */
  lease = { lease_duration: 3600, renewable: true };
  /** Asked first; `undefined` = the true answer. */
  fault: (request: VaultRequest) => VaultReply | undefined = () => undefined;
  /** Edits a true answer on its way. */
  edit: (reply: VaultReply, request: VaultRequest) => VaultReply = (reply) => reply;
  readonly #server: Server;
  #issued = 0;

  private constructor(identity: TestIdentity, clientCa: string | undefined) {
    const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
    this.#server = createServer({ ...identity, ...clients, minVersion: "TLSv1.3" }, (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on("tlsClientError", () => undefined);
  }

  static async start(identity: TestIdentity, clientCa?: string): Promise<VaultFake> {
    const fake = new VaultFake(identity, clientCa);
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get address(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  issue(): string {
    const token = `s.issued${String((this.#issued += 1)).padStart(3, "0")}`;
    this.tokens.add(token);
    return token;
  }

  /** Requests whose path begins so. */
  asked(path: string): readonly VaultRequest[] {
    return this.requests.filter((request) => request.path.startsWith(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const request: VaultRequest = {
      method: incoming.method ?? "",
      path: (incoming.url ?? "").replace(/^\/v1\//, ""),
      token: headerOf(incoming, "x-vault-token"),
      namespace: headerOf(incoming, "x-vault-namespace"),
      message: text === "" ? {} : (JSON.parse(text) as VaultRequest["message"]),
      client: clientOf(incoming),
    };
    this.requests.push(request);
    const { status, body, headers } = this.fault(request) ?? this.edit(this.#answer(request), request);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  }

  #answer(request: VaultRequest): VaultReply {
    const { path, token } = request;
    if (/^auth\/[\w/-]+\/login$/.test(path)) return this.#granted(this.issue());
    if (token === undefined || !this.tokens.has(token)) return refused(403, "permission denied");
    if (path === "auth/token/renew-self") return this.#granted(token);
    if (path === "auth/token/revoke-self") {
      this.tokens.delete(token);
      return { status: 204 };
    }
    if (path === "auth/token/lookup-self")
      return { status: 200, body: { data: { ttl: 3600, expire_time: "2026-11-25T12:00:00Z", renewable: true } } };
    const [, mount, verb, name] = /^([\w-]+)\/(.+)\/([\w.-]+)$/.exec(path) ?? [];
    if (mount !== "transit" || verb === undefined || name === undefined) return refused(404, "no handler for route");
    return this.#transit(verb, name, request);
  }

  #granted(token: string): VaultReply {
    return { status: 200, body: { auth: { client_token: token, ...this.lease } } };
  }

  #transit(verb: string, name: string, { message }: VaultRequest): VaultReply {
    const key = this.keys.get(name);
    if (verb === "keys")
      return key === undefined ? { status: 404, body: { errors: [] } } : { status: 200, body: { data: key } };
    if (key === undefined) return refused(400, "encryption key not found");
    const context = key.derived ? String(message["context"]) : "";
    const sealed = (plaintext: Buffer): object => ({
      ciphertext: seal(plaintext, `${name} ${key.latest} ${context}`, key.latest),
      key_version: key.latest,
    });
    if (verb === "datakey/plaintext") {
      const plaintext = randomBytes(32);
      return { status: 200, body: { data: { plaintext: plaintext.toString("base64"), ...sealed(plaintext) } } };
    }
    if (verb === "encrypt")
      return { status: 200, body: { data: sealed(Buffer.from(String(message["plaintext"]), "base64")) } };
    const ciphertext = String(message["ciphertext"]);
    const version = Number(/^vault:v([0-9]+):/.exec(ciphertext)?.[1]);
    if (version > key.latest) return refused(400, "invalid ciphertext: version is too new");
    const plaintext = open(ciphertext, `${name} ${version} ${context}`);
    if (plaintext === undefined) return refused(400, "cipher: message authentication failed");
    const data = verb === "rewrap" ? sealed(plaintext) : { plaintext: plaintext.toString("base64") };
    return { status: 200, body: { data } };
  }
}

function refused(status: number, ...errors: readonly string[]): VaultReply {
  return { status, body: { errors } };
}

const headerOf = ({ headers }: IncomingMessage, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
};

/** Common name of the certificate that the client showed. */
function clientOf({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return socket.getPeerX509Certificate()?.subject.replace(/^CN=/, "");
}

const keyOf = (label: string): Buffer => createHash("sha256").update(label).digest();

function seal(plaintext: Buffer, label: string, version: number): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", keyOf(label), nonce);
  const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `vault:v${version}:${sealed.toString("base64")}`;
}

function open(ciphertext: string, label: string): Buffer | undefined {
  const bytes = Buffer.from(ciphertext.replace(/^vault:v[0-9]+:/, ""), "base64");
  if (bytes.length < 28) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", keyOf(label), bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
