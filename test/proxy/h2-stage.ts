import { connect as connectH2, type ClientHttp2Session } from "node:http2";
import type { Duplex } from "node:stream";
import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";
import { H2Frames } from "../rig/h2-frames.ts";
import { ProxyRig, type RigOptions } from "./proxy-rig.ts";

const bytes = ({ cert, key }: TestIdentity): { cert: Buffer; key: Buffer } => ({
  cert: Buffer.from(cert),
  key: Buffer.from(key),
});

/** An inbound listener for clients with certificates, and HTTP/2 to it: by Node's client, or frame by frame. */
export class H2Stage {
  #pki!: TestPki;
  #server!: TestIdentity;
  #client!: TestIdentity;
  #rig!: ProxyRig;
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #raw: H2Frames[] = [];

  /** For the suite it is called in: a listener for every test. */
  static use(options: RigOptions = {}): H2Stage {
    const stage = new H2Stage();
    before(() => stage.#issue());
    beforeEach(() => stage.#start(options));
    afterEach(() => stage.#stop());
    return stage;
  }

  get rig(): ProxyRig {
    return this.#rig;
  }

  get tls() {
    return { port: this.#rig.port, host: "127.0.0.1", ca: this.#pki.ca, servername: "sidecar.test", ...this.#client };
  }

  /** A listener with other settings, in place of the one that is there. */
  async restart(options: RigOptions): Promise<void> {
    await this.#rig.stop();
    await this.#start(options);
  }

  session(): ClientHttp2Session {
    const made = connectH2(`https://sidecar.test:${this.#rig.port}`, this.tls);
    made.on("error", () => undefined);
    this.#sessions.push(made);
    return made;
  }

  /** `through`: what to speak over in place of a connection of its own. */
  async frames(through?: Duplex): Promise<H2Frames> {
    const made = await H2Frames.open(through === undefined ? this.tls : { ...this.tls, socket: through });
    this.#raw.push(made);
    return made;
  }

  async #issue(): Promise<void> {
    this.#pki = await createTestPki();
    this.#server = await this.#pki.issue({ name: "sidecar", dns: ["sidecar.test"], usage: "server" });
    this.#client = await this.#pki.issue({ name: "front", uri: ["spiffe://prod/front"], usage: "client" });
  }

  async #start(options: RigOptions): Promise<void> {
    const clients = { ca: Buffer.from(this.#pki.ca), allow: [] };
    this.#rig = await ProxyRig.start({
      direction: "inbound",
      tls: { identity: bytes(this.#server), clients },
      ...options,
    });
  }

  async #stop(): Promise<void> {
    for (const session of this.#sessions.splice(0)) session.destroy();
    for (const each of this.#raw.splice(0)) each.socket.destroy();
    await this.#rig.stop();
  }
}
