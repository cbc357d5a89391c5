import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "undici";

import { freePorts } from "../../../src/app/demo/free-ports.ts";
import { createTestPki, type TestPki } from "../../../src/app/demo/pki.ts";
import type { VaultKmsConfig } from "../../../src/kms/kms-config.ts";
import type { VaultAuth } from "../../../src/kms/vault/vault-auth.ts";
import { openBaoProgram } from "./openbao-program.ts";
import { ServerProcess } from "./server-process.ts";

export interface BaoAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface BaoOrder {
  /** Nobody gets near without a certificate of `pki`. */
  readonly mutual?: boolean;
}

/** What a token is made with; times as OpenBao writes them. */
export interface BaoTokenOrder {
  readonly policies: readonly string[];
  readonly ttl?: string;
  readonly period?: string;
  readonly explicit_max_ttl?: string;
  readonly no_default_policy?: boolean;
}

/** What a sidecar needs of one key, and nothing else: never `create`. */
export function usePolicy(key: string, mount = "transit"): string {
  return ["datakey/plaintext", "decrypt", "encrypt", "rewrap"]
    .map((verb) => `path "${mount}/${verb}/${key}" { capabilities = ["update"] }`)
    .join("\n");
}

/**
 * An OpenBao server on loopback: TLS 1.3 only, storage on disk, initialised, unsealed, with a transit engine. Its program: see
 * openBaoProgram.
 */
export class OpenBao implements AsyncDisposable {
  readonly address: string;
  /** Scratch: for tokens and certificates too. */
  readonly folder: string;
  readonly pki: TestPki;
  /** PEM file of the authority that vouches for the server. */
  readonly ca: string;
  rootToken = "";
  readonly #port: number;
  readonly #clusterPort: number;
  readonly #agent: Agent;
  #unsealKey = "";
  #server: ServerProcess | undefined;
  #files = 0;

  private constructor(place: { port: number; clusterPort: number; folder: string; pki: TestPki; agent: Agent }) {
    this.#port = place.port;
    this.#clusterPort = place.clusterPort;
    this.address = `https://127.0.0.1:${place.port}`;
    this.folder = place.folder;
    this.pki = place.pki;
    this.ca = join(place.folder, "ca.pem");
    this.#agent = place.agent;
  }

  static async start({ mutual = false }: BaoOrder = {}): Promise<OpenBao> {
    const [port = 0, clusterPort = 0] = await freePorts(2);
    const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
    const pki = await createTestPki();
    const admin = await pki.issue({ name: "admin", usage: "client" });
    const agent = new Agent({ connect: { ca: pki.ca, cert: admin.cert, key: admin.key } });
    const bao = new OpenBao({ port, clusterPort, folder, pki, agent });
    try {
      await bao.#furnish(mutual);
      await bao.#run();
      const { body } = await bao.admin("POST", "sys/init", { secret_shares: 1, secret_threshold: 1 });
      bao.rootToken = String(body["root_token"]);
      bao.#unsealKey = String((body["keys_base64"] as readonly unknown[])[0]);
      await bao.unseal();
      await bao.admin("POST", "sys/mounts/transit", { type: "transit" });
      return bao;
    } catch (error) {
      await bao[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Asks with the root token; any status but 2xx throws. */
  async admin(method: "GET" | "POST" | "DELETE", path: string, message?: object): Promise<BaoAnswer> {
    const answer = await this.ask(method, path, {
      token: this.rootToken,
      ...(message === undefined ? {} : { message }),
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new Error(`OpenBao refused ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async ask(
    method: "GET" | "POST" | "DELETE",
    path: string,
    { token, message }: { readonly token: string; readonly message?: object },
  ): Promise<BaoAnswer> {
    const { statusCode, body } = await this.#agent.request({
      origin: this.address,
      path: `/v1/${path}`,
      method,
      headers: token === "" ? {} : { "x-vault-token": token },
      ...(message === undefined ? {} : { body: JSON.stringify(message) }),
    });
    const text = await body.text();
    return { status: statusCode, body: text === "" ? {} : (JSON.parse(text) as BaoAnswer["body"]) };
  }

  async createKey(name: string, settings: object = { derived: true }): Promise<void> {
    await this.admin("POST", `transit/keys/${name}`, settings);
  }

  async rotateKey(name: string): Promise<void> {
    await this.admin("POST", `transit/keys/${name}/rotate`, {});
  }

  async writePolicy(name: string, policy: string): Promise<void> {
    await this.admin("POST", `sys/policies/acl/${name}`, { policy });
  }

  async createToken(order: BaoTokenOrder): Promise<string> {
    const { body } = await this.admin("POST", "auth/token/create-orphan", order);
    return String((body["auth"] as Readonly<Record<string, unknown>>)["client_token"]);
  }

  /** A role of the approle method, which is enabled when it is not yet. */
  async createAppRole(name: string, settings: object): Promise<{ readonly roleId: string; readonly secretId: string }> {
    await this.enableLogin("approle");
    await this.admin("POST", `auth/approle/role/${name}`, settings);
    const role = await this.admin("GET", `auth/approle/role/${name}/role-id`);
    const secret = await this.admin("POST", `auth/approle/role/${name}/secret-id`, {});
    return { roleId: dataOf(role, "role_id"), secretId: dataOf(secret, "secret_id") };
  }

  async enableLogin(method: "approle" | "cert" | "kubernetes"): Promise<void> {
    const { body } = await this.admin("GET", "sys/auth");
    if (!Object.hasOwn(body, `${method}/`)) await this.admin("POST", `sys/auth/${method}`, { type: method });
  }

  /** Every token that a login by `method` has made ends at once. */
  async revokeLogins(method: "approle" | "cert" | "kubernetes"): Promise<void> {
    await this.admin("POST", `sys/leases/revoke-prefix/auth/${method}`, {});
  }

  async revoke(token: string): Promise<void> {
    await this.admin("POST", "auth/token/revoke", { token });
  }

  /** A new file of mode 0600 with `text`. */
  async secretFile(text: string): Promise<string> {
    const path = join(this.folder, `secret-${String((this.#files += 1))}`);
    await this.overwrite(path, text);
    return path;
  }

  async overwrite(path: string, text: string): Promise<void> {
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
  }

  /** A new client certificate and its key, as files. */
  async clientCertificate(name: string): Promise<{ readonly cert: string; readonly key: string }> {
    const { cert, key } = await this.pki.issue({ name, dns: [name], usage: "client" });
    return { cert: await this.secretFile(cert), key: await this.secretFile(key) };
  }

  /** A KEK of this server. */
  kek(key: string, auth: VaultAuth): VaultKmsConfig {
    return { provider: "vault", address: this.address, mount: "transit", key, auth, ca: this.ca };
  }

  async seal(): Promise<void> {
    await this.admin("POST", "sys/seal");
  }

  async unseal(): Promise<void> {
    await this.admin("POST", "sys/unseal", { key: this.#unsealKey });
    // Unsealed is not yet active.
    for (const limit = Date.now() + 10_000; Date.now() < limit;) {
      const { status } = await this.ask("GET", "sys/health", { token: "" });
      if (status === 200) return;
      await new Promise((settle) => setTimeout(settle, 50));
    }
    throw new Error("OpenBao did not become active");
  }

  /** Stopped, and nothing listens until `restart`. */
  async stop(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  /** The same port and storage; sealed, as after any start. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#agent.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    this.#server = await ServerProcess.start({
      program: openBaoProgram(),
      args: ["server", `-config=${join(this.folder, "server.hcl")}`],
      port: this.#port,
      // Nothing of whoever runs the tests.
      env: { HOME: this.folder, BAO_ADDR: "", VAULT_ADDR: "" },
    });
  }

  async #furnish(mutual: boolean): Promise<void> {
    const { cert, key } = await this.pki.issue({ name: "openbao", ip: ["127.0.0.1"], usage: "server" });
    const at = (name: string): string => join(this.folder, name);
    await mkdir(at("data"));
    await writeFile(this.ca, this.pki.ca);
    await writeFile(at("server.pem"), cert);
    await writeFile(at("server.key"), key, { mode: 0o600 });
    const clients = mutual
      ? [`tls_require_and_verify_client_cert = true`, `tls_client_ca_file = "${this.ca}"`]
      : [`tls_disable_client_certs = false`];
    await writeFile(
      at("server.hcl"),
      [
        `storage "raft" {`,
        `  path = "${at("data")}"`,
        `  node_id = "one"`,
        `  performance_multiplier = "1"`,
        `}`,
        `api_addr = "${this.address}"`,
        `cluster_addr = "https://127.0.0.1:${this.#clusterPort}"`,
        `listener "tcp" {`,
        `  address = "127.0.0.1:${this.#port}"`,
        `  cluster_address = "127.0.0.1:${this.#clusterPort}"`,
        `  tls_cert_file = "${at("server.pem")}"`,
        `  tls_key_file = "${at("server.key")}"`,
        `  tls_min_version = "tls13"`,
        ...clients.map((line) => `  ${line}`),
        `}`,
      ].join("\n"),
    );
  }
}

function dataOf({ body }: BaoAnswer, member: string): string {
  return String((body["data"] as Readonly<Record<string, unknown>>)[member]);
}
