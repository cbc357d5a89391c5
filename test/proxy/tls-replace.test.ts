import { once } from "node:events";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";
import type { TlsTrust } from "../../src/proxy/tls.ts";
import { createLongChain, type LongChain } from "../rig/long-chain.ts";
import { eventually, ProxyRig } from "./proxy-rig.ts";

const bytes = ({ cert, key }: TestIdentity): { cert: Buffer; key: Buffer } => ({
  cert: Buffer.from(cert),
  key: Buffer.from(key),
});

/** A TCP connection whose writes wait after the first, a ClientHello, until they are let go. */
class HeldConnection extends Duplex {
  readonly #socket: Socket;
  #written = 0;
  #held: (() => void) | undefined;
  #isHeld = true;

  constructor(port: number) {
    super();
    this.#socket = connectTcp(port, "127.0.0.1");
    this.#socket.on("data", (chunk: Buffer) => this.push(chunk));
    this.#socket.on("end", () => this.push(null));
    this.#socket.on("close", () => this.destroy());
    this.#socket.on("error", () => undefined);
  }

  get held(): boolean {
    return this.#held !== undefined;
  }

  letGo(): void {
    this.#isHeld = false;
    this.#held?.();
  }

  override _read(): void {
    // Pushed as it comes.
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#written += 1;
    const write = (): void => void this.#socket.write(chunk, () => callback());
    if (this.#isHeld && this.#written > 1) this.#held = write;
    else write();
  }

  override _destroy(_error: Error | null, callback: () => void): void {
    this.#socket.destroy();
    callback();
  }
}

describe("Trust of clients replaced while they are connected", () => {
  let pki: TestPki;
  let other: TestPki;
  let long: LongChain;
  let server: TestIdentity;
  let client: TestIdentity;
  let rig: ProxyRig;
  let trust: TlsTrust;
  const sockets: TLSSocket[] = [];

  before(async () => {
    [pki, other, long] = await Promise.all([createTestPki(), createTestPki("Another CA"), createLongChain()]);
    server = await pki.issue({ name: "sidecar", dns: ["sidecar.test"], usage: "server" });
    client = await pki.issue({ name: "front", usage: "client" });
  });

  const trusting = async (cas: readonly string[], authorityRevoked = false): Promise<TlsTrust> => ({
    ca: Buffer.from(cas.join("")),
    crl: Buffer.from((await pki.revoke([])) + (await other.revoke([])) + (await long.lists(authorityRevoked))),
  });

  beforeEach(async () => {
    trust = await trusting([pki.ca, long.root]);
    const clients = { ...trust, allow: [] };
    rig = await ProxyRig.start({ direction: "inbound", tls: { identity: bytes(server), clients } });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await rig.stop();
  });

  const replace = (clients: TlsTrust): void =>
    rig.listener.replaceTls({ server: { identity: bytes(server), clients }, upstream: undefined });

  function open(identity: { cert: string; key: string }, more: { session?: Buffer; socket?: Duplex } = {}): TLSSocket {
    const to = { port: rig.port, host: "127.0.0.1", ca: pki.ca, servername: "sidecar.test" };
    const socket = connect({ ...to, ...identity, ...more });
    socket.on("error", () => undefined);
    sockets.push(socket);
    return socket;
  }

  async function answers(socket: TLSSocket): Promise<boolean> {
    if (socket.destroyed) return false;
    socket.write("GET /open HTTP/1.1\r\nhost: a\r\n\r\n");
    const first = await Promise.race([once(socket, "data"), once(socket, "close")]).catch(() => []);
    return Buffer.isBuffer(first[0]) && first[0].toString("latin1").startsWith("HTTP/1.1 200");
  }

  /** A connection that continues an earlier one's session: it has sent no chain. */
  async function resumed(identity: { cert: string; key: string }): Promise<TLSSocket> {
    const earlier = open(identity);
    const session = once(earlier, "session") as Promise<[Buffer]>;
    expect(await answers(earlier)).to.equal(true);
    const socket = open(identity, { session: (await session)[0] });
    expect(await answers(socket)).to.equal(true);
    expect(socket.isSessionReused()).to.equal(true);
    return socket;
  }

  it("keeps resumed clients behind an intermediate authority while the trust is the same", async () => {
    const socket = await resumed(long.client);
    replace({ ca: Buffer.from(trust.ca), crl: Buffer.from(trust.crl ?? "") });
    await new Promise((settle) => setTimeout(settle, 50));
    expect(await answers(socket)).to.equal(true);
  });

  it("ends clients behind an intermediate authority that was revoked, resumed ones too", async () => {
    const socket = open(long.client);
    expect(await answers(socket)).to.equal(true);
    const again = await resumed(long.client);
    replace(await trusting([pki.ca, long.root], true));
    await eventually(() => socket.destroyed && again.destroyed);
    expect(await answers(open(long.client))).to.equal(false);
  });

  it("ends clients that speak HTTP/2 as well, with what they have under way", async () => {
    rig.upstream.answer = () => undefined;
    const to = { port: rig.port, host: "127.0.0.1", ca: pki.ca, servername: "sidecar.test" };
    const session = connectH2(`https://sidecar.test:${rig.port}`, { ...to, ...client });
    session.on("error", () => undefined);
    const stream = session.request({ ":path": "/open" });
    stream.on("error", () => undefined);
    await eventually(() => rig.listener.active === 1);
    replace(await trusting([other.ca, long.root]));
    await eventually(() => session.destroyed && rig.listener.active === 0);
  });

  it("lets in nobody whose handshake began before its authority went", async () => {
    const held = new HeldConnection(rig.port);
    const socket = open(client, { socket: held });
    await eventually(() => held.held);
    replace(await trusting([other.ca, long.root]));
    held.letGo();
    expect(await answers(socket)).to.equal(false);
    await eventually(() => socket.destroyed);
  });

  it("lets in whose handshake began before, where the new trust vouches for it", async () => {
    const held = new HeldConnection(rig.port);
    const socket = open(long.client, { socket: held });
    await eventually(() => held.held);
    replace(await trusting([other.ca, long.root]));
    held.letGo();
    expect(await answers(socket)).to.equal(true);
  });
});
