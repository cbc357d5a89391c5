import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";
import { composeListener } from "../../src/app/compose-listener.ts";
import { loadSidecar } from "../../src/app/config/load-sidecar.ts";
import type { StartedListener } from "../../src/app/drain.ts";
import { noKeys } from "../../src/app/no-keys.ts";
import { readTlsSet } from "../../src/app/tls-files.ts";
import { TlsReload } from "../../src/app/tls-reload.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { formatPin, pinOf } from "../../src/proxy/pins.ts";
import { startListener } from "../../src/proxy/listener.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const day = 86_400_000;

const peerOf = ({ socket }: IncomingMessage): X509Certificate | undefined =>
  socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;

/** One connection to the inbound listener that stays open. */
class Client {
  readonly socket: TLSSocket;
  session: Buffer | undefined;
  closed = false;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("session", (session: Buffer) => (this.session = session));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.closed = true));
  }

  static async open(port: number, ca: string, identity: TestIdentity, session?: Buffer): Promise<Client> {
    const client = new Client(connect({ port, host: "127.0.0.1", ca, servername: "localhost", ...identity, session }));
    await Promise.race([once(client.socket, "secureConnect"), once(client.socket, "close")]);
    return client;
  }

  /** Status of the answer, or 0 when the connection ends first. */
  async ask(): Promise<number> {
    return (await this.askFor()).status;
  }

  async askFor(): Promise<{ readonly status: number; readonly text: string }> {
    if (this.closed) return { status: 0, text: "" };
    const answered = once(this.socket, "data") as Promise<[Buffer]>;
    this.socket.write("GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const first = await Promise.race([answered, once(this.socket, "close")]).catch(() => []);
    const [chunk] = first as [Buffer?];
    const text = Buffer.isBuffer(chunk) ? chunk.toString("latin1") : "";
    return { status: Number(text.split(" ")[1] ?? 0), text };
  }

  async ended(): Promise<boolean> {
    for (let turn = 0; turn < 300 && !this.closed; turn += 1) await new Promise((settle) => setTimeout(settle, 10));
    return this.closed;
  }
}

describe("TLS reload", () => {
  const folder = useScratchFolder();
  let pki: TestPki;
  let other: TestPki;
  let good: TestIdentity;
  let bad: TestIdentity;
  let store: TestIdentity;
  let upstream: Server;
  let upstreamClients: string[] = [];
  let started: StartedListener;
  let reload: TlsReload;
  let metrics: RecordedMetrics;
  let lines: { event: string; fields: LogFields }[] = [];
  const clients: Client[] = [];

  const serialOf = ({ cert }: TestIdentity): string => new X509Certificate(cert).serialNumber;
  const write = (name: string, text: string): void => writeFileSync(join(folder(), name), text, { mode: 0o600 });
  const issue = async (
    file: string,
    from: TestPki,
    usage: "server" | "client" | "both",
    notAfter?: Date,
  ): Promise<void> => {
    const { cert, key } = await from.issue({
      name: file,
      dns: ["localhost"],
      ip: ["127.0.0.1"],
      usage,
      ...(notAfter === undefined ? {} : { notAfter }),
    });
    write(`${file}.crt`, cert);
    write(`${file}.key`, key);
  };

  beforeEach(async () => {
    [pki, other] = await Promise.all([createTestPki(), createTestPki("Another CA")]);
    [good, bad] = await Promise.all([
      pki.issue({ name: "good", dns: ["good"], usage: "client" }),
      pki.issue({ name: "bad", dns: ["bad"], usage: "client" }),
    ]);
    await issue("door", pki, "server");
    await issue("out", pki, "client");
    write("ca.crt", pki.ca);
    write("up.crt", pki.ca);
    write("ca.crl", await pki.revoke([]));
    upstreamClients = [];
    store = await pki.issue({ name: "store", ip: ["127.0.0.1"], usage: "server" });
    upstream = createServer(
      { ...store, ca: pki.ca, requestCert: true },
      (request: IncomingMessage, response: ServerResponse) => {
        upstreamClients.push(peerOf(request)?.serialNumber ?? "none");
        response.end("ok");
      },
    );
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    await start();
  });

  /** Writes the sidecar file, with `more` for its upstream, and starts its listener. */
  async function start(more = ""): Promise<void> {
    write(
      "sidecar.yaml",
      `apiVersion: sealwright.dev/v1
kind: Sidecar
admin: { listen: 127.0.0.1:0 }
kms: { dev: { provider: local, keyFile: kek.json } }
identities: { door: { cert: door.crt, key: door.key }, out: { cert: out.crt, key: out.key } }
trust: { clients: { ca: ca.crt, crl: ca.crl, crlFailure: refuse }, up: { ca: up.crt } }
listeners:
  - name: door
    direction: inbound
    listen: 127.0.0.1:0
    tls: { identity: door, clients: { trust: clients } }
    upstream: { url: "https://127.0.0.1:${(upstream.address() as AddressInfo).port}", identity: out, trust: up${more} }
`,
    );
    metrics = new RecordedMetrics();
    lines = [];
    const say =
      () =>
      (event: string, fields: LogFields = {}): void =>
        void lines.push({ event, fields });
    const log: Log = { debug: say(), info: say(), warn: say(), error: say() };
    const [config] = loadSidecar(join(folder(), "sidecar.yaml"), { files: "noted" }).config.listeners;
    const tls = readTlsSet(config!);
    started = {
      config: config!,
      tls,
      running: await startListener(composeListener(config!, tls.material, { keys: noKeys, log, metrics })),
    };
    reload = new TlsReload([started], { clock: systemClock, log, metrics });
    reload.start();
  }

  afterEach(async () => {
    reload.stop();
    for (const client of clients.splice(0)) client.socket.destroy();
    await started.running.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  const port = (): number => {
    const { address } = started.running;
    return address.kind === "tcp" ? address.port : 0;
  };

  async function open(identity: TestIdentity, session?: Buffer): Promise<Client> {
    const client = await Client.open(port(), pki.ca, identity, session);
    clients.push(client);
    return client;
  }

  /** Waits until the files were taken notice of, without a look of our own. */
  async function noticed(event: string, count = 1): Promise<void> {
    for (let turn = 0; turn < 500; turn += 1) {
      if (lines.filter((line) => line.event === event).length >= count) return;
      await new Promise((settle) => setTimeout(settle, 10));
    }
    expect.fail(`${event} was never logged`);
  }

  it("shows a new certificate to new connections and goes on with old ones", async () => {
    const before = await open(good);
    expect(await before.ask()).to.equal(200);
    const old = before.socket.getPeerX509Certificate()?.serialNumber;
    await issue("door", pki, "server");
    await noticed("tls_reloaded");
    expect(await before.ask()).to.equal(200);
    const after = await open(good);
    expect(after.socket.getPeerX509Certificate()?.serialNumber).not.to.equal(old);
    expect(await after.ask()).to.equal(200);
  });

  it("ends a revoked client's open connection, and lets it in neither anew nor by its ticket", async () => {
    const [friend, foe] = [await open(good), await open(bad)];
    expect([await friend.ask(), await foe.ask()]).to.deep.equal([200, 200]);
    const ticket = foe.session;
    expect(ticket).to.be.instanceOf(Buffer);
    expect((await open(bad, ticket)).socket.isSessionReused(), "the ticket is good before").to.equal(true);
    write("ca.crl", await pki.revoke([serialOf(bad)]));
    await noticed("tls_reloaded");
    expect(await foe.ended()).to.equal(true);
    expect(await (await open(bad)).ask()).to.equal(0);
    expect(await (await open(bad, ticket)).ask()).to.equal(0);
    expect(await friend.ask(), "others go on").to.equal(200);
    expect(await (await open(good)).ask()).to.equal(200);
  });

  it("ends clients of an authority that is trusted no more", async () => {
    const client = await open(good);
    expect(await client.ask()).to.equal(200);
    write("ca.crl", await other.revoke([]));
    write("ca.crt", other.ca);
    await noticed("tls_reloaded");
    expect(await client.ended()).to.equal(true);
    expect(await (await open(good)).ask()).to.equal(0);
    expect(await (await open(await other.issue({ name: "x", usage: "client" }))).ask()).to.equal(200);
  });

  it("L-05 keeps what it has when the new set is broken, half-written or does not fit, and takes the next good one", async () => {
    const client = await open(good);
    const otherCert = (await pki.issue({ name: "other", usage: "server" })).cert;
    const broken: readonly (readonly [string, string])[] = [
      ["door.crt", "-----BEGIN CERTIFICATE-----\nMIIB"],
      ["door.crt", otherCert],
      ["ca.crt", "nothing"],
      ["ca.crt", pki.ca + other.ca.slice(0, 300)],
      ["ca.crl", "nothing"],
      ["ca.crl", (await pki.revoke([])) + (await other.revoke([])).slice(0, 100)],
    ];
    for (const [index, [file, text]] of broken.entries()) {
      write(file, text);
      for (let look = 0; look < 3; look += 1) await reload.lookNow();
      expect(lines.filter(({ event }) => event === "tls_not_reloaded").length, "told once").to.equal(index + 1);
      expect(await (await open(good)).ask()).to.equal(200);
      expect(await client.ask()).to.equal(200);
      write("ca.crt", pki.ca);
      write("ca.crl", await pki.revoke([]));
      await issue("door", pki, "server");
      await reload.lookNow();
      expect(lines.filter(({ event }) => event === "tls_reloaded").length).to.be.at.least(index + 1);
    }
    const outcomes = metrics.of("sealwright_tls_reloads_total").map(({ labels }) => labels["outcome"]);
    expect(outcomes).to.include.members(["ok", "key_file", "file_unreadable"]);
    expect(JSON.stringify([lines, metrics.all])).not.to.include("PRIVATE");
    expect(await client.ask()).to.equal(200);
  });

  it("shows a new client certificate to the upstream", async () => {
    const client = await open(good);
    expect(await client.ask()).to.equal(200);
    await issue("out", pki, "client");
    await noticed("tls_reloaded");
    // The pooled connection is still the one of before; a second request at the same time makes another.
    const others = await Promise.all([open(good), open(good), open(good)]);
    await Promise.all(others.map((each) => each.ask()));
    expect(new Set(upstreamClients).size).to.equal(2);
  });

  it("goes no further to an upstream whose authority is trusted no more", async () => {
    const client = await open(good);
    expect(await client.ask()).to.equal(200);
    write("up.crt", other.ca);
    await noticed("tls_reloaded");
    expect(await client.ask()).to.equal(502);
  });

  it("takes pins from a file, refuses an upstream with another key by a code of its own, and follows the file", async () => {
    reload.stop();
    await started.running.close();
    const own = formatPin(pinOf(new X509Certificate(store.cert)));
    const strange = formatPin(Buffer.alloc(32));
    write("store.pins", `# the store\n${own}\n`);
    await start(", pinFile: store.pins");
    const client = await open(good);
    expect(await client.ask()).to.equal(200);
    write("store.pins", `${strange}\n`);
    await noticed("tls_reloaded");
    const refused = await client.askFor();
    expect([refused.status, refused.text.includes('"upstream_pin"')]).to.deep.equal([502, true]);
    expect(lines.some(({ fields }) => String(fields.reason).includes(own))).to.equal(true);
    write("store.pins", `${strange}\n${own}\n`);
    await noticed("tls_reloaded", 2);
    expect(await client.ask()).to.equal(200);
    write("store.pins", "nothing");
    await noticed("tls_not_reloaded");
    expect(await client.ask()).to.equal(200);
  });

  it("measures when certificates end, and warns of those near their end", async () => {
    expect(metrics.of("sealwright_certificate_end_timestamp").map(({ labels }) => labels["role"])).to.have.members([
      "server",
      "client",
      "clients-ca",
      "clients-crl",
      "upstream-ca",
    ]);
    expect(lines.filter(({ event }) => event === "certificate_near_end")).to.deep.equal([]);
    await issue("door", pki, "server", new Date(Date.now() + 500));
    await reload.lookNow();
    await new Promise((settle) => setTimeout(settle, 10));
    await issue("out", pki, "client", new Date(Date.now() + day));
    await reload.lookNow();
    const told = lines.filter(({ event }) => event === "certificate_near_end");
    expect(told.map(({ fields }) => String(fields.reason).split(" ")[0])).to.include("server");
  });

  it("warns of a certificate near its end again after half a day, and only then", async () => {
    await issue("door", pki, "server", new Date(Date.now() + 500));
    let later = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + later };
    const warned: LogFields[] = [];
    const none = (): void => undefined;
    const log: Log = { debug: none, info: none, error: none, warn: (_event, fields = {}) => void warned.push(fields) };
    reload.stop();
    const again = new TlsReload([{ ...started, tls: readTlsSet(started.config) }], { clock, log, metrics });
    expect(warned).to.have.length(1);
    await again.lookNow();
    expect(warned).to.have.length(1);
    later = day / 2;
    await again.lookNow();
    expect(warned).to.have.length(2);
    await again.lookNow();
    expect(warned).to.have.length(2);
    again.stop();
  });
});
