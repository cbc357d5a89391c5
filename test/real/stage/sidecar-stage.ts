import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePorts } from "../../../src/app/demo/free-ports.ts";
import { createTestPki, type TestPki } from "../../../src/app/demo/pki.ts";
import { createLocalKeyFile } from "../../../src/kms/local/local.ts";
import { makeKeyring } from "../../rig/keyring-setup.ts";
import { Sidecar } from "../../rig/sidecar.ts";

export interface SidecarOrder {
  /** YAML of the members `kms` and `keys`. */
  readonly keys?: string;
  /** YAML of the field map, if there is one; its dataset is `patients`. */
  readonly map?: string;
  /** Members of the outbound listener's upstream after its URL, in flow style. */
  readonly upstream?: string;
  /** Port of the upstream, reached as https://localhost. */
  readonly upstreamPort: number;
  /** Variables of the sidecar's process. */
  readonly env?: Readonly<Record<string, string>>;
}

export const localInlineKeys = `kms: { dev: { provider: local, keyFile: kek.json } }
keys: { form: inline, kek: dev }`;

export const ownUpstream = `identity: default, trust: mesh, allow: ["dns:localhost"]`;

/** A scratch folder with a PKI, and a sidecar that runs in it between the test and somebody else's server. */
export class SidecarStage implements AsyncDisposable {
  readonly folder: string;
  readonly pki: TestPki;
  /** Port of the outbound listener. */
  readonly port: number;
  /** Port of the inbound listener. */
  readonly inboundPort: number;
  /** Port of the app behind it; nobody listens there unless a test does. */
  readonly appPort: number;
  readonly #adminPort: number;
  #sidecar: Sidecar | undefined;

  private constructor(folder: string, pki: TestPki, ports: readonly number[]) {
    this.folder = folder;
    this.pki = pki;
    [this.port = 0, this.inboundPort = 0, this.appPort = 0, this.#adminPort = 0] = ports;
  }

  /** Makes the folder with certificates: `ca`, `sidecar` and `store` (`dns:localhost`), `.crt` and `.key`. */
  static async create(): Promise<SidecarStage> {
    const folder = await mkdtemp(join(tmpdir(), "sealwright-real-"));
    const stage = new SidecarStage(folder, await createTestPki(), await freePorts(4));
    await stage.write("ca.crt", stage.pki.ca);
    await stage.issue("sidecar", "both");
    await stage.issue("store", "server");
    await createLocalKeyFile(join(folder, "kek.json"));
    return stage;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text, { mode: 0o600 });
  }

  /** Writes `NAME.crt` and `NAME.key` of the stage's authority, or of `pki`. */
  async issue(name: string, usage: "server" | "client" | "both", pki: TestPki = this.pki): Promise<void> {
    const { cert, key } = await pki.issue({ name, dns: ["localhost"], ip: ["127.0.0.1"], usage });
    await this.write(`${name}.crt`, cert);
    await this.write(`${name}.key`, key);
  }

  /** Writes the configuration, makes a keyring where the keys want one, and starts the sidecar. */
  async start(order: SidecarOrder): Promise<Sidecar> {
    if (order.map !== undefined) await this.write("patients.yaml", order.map);
    await this.write("sidecar.yaml", this.#sidecarFile(order));
    const env = order.env ?? {};
    if (order.keys?.includes("form: keyring") === true) await makeKeyring({ folder: this.folder, env });
    const { folder, port } = this;
    this.#sidecar = await Sidecar.start({ folder, port, adminPort: this.#adminPort, env });
    return this.#sidecar;
  }

  #sidecarFile(order: SidecarOrder): string {
    const mapped = order.map !== undefined;
    return `apiVersion: sealwright.dev/v1
kind: Sidecar
log: { level: debug }
admin: { listen: 127.0.0.1:${this.#adminPort} }
identities: { default: { cert: sidecar.crt, key: sidecar.key } }
trust: { mesh: { ca: ca.crt } }
${order.keys ?? localInlineKeys}
${mapped ? "fieldMaps: [patients.yaml]" : ""}
listeners:
  - name: store
    direction: outbound
    listen: 127.0.0.1:${this.port}
    upstream: { url: "https://localhost:${order.upstreamPort}", ${order.upstream ?? ownUpstream} }
    ${mapped ? "fieldMaps: [patients]" : ""}
  - name: door
    direction: inbound
    listen: 127.0.0.1:${this.inboundPort}
    tls: { identity: default, clients: { trust: mesh } }
    upstream: { url: "http://127.0.0.1:${this.appPort}" }
`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sidecar?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
