import { once } from "node:events";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { linkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { parseListenAddress, type ListenAddress, type TcpAddress } from "../../src/base/listen-address.ts";
import { startAdminListener } from "../../src/ops/admin-listener.ts";
import { adminPages, metricsPages, probePages, type AdminPages } from "../../src/ops/admin-pages.ts";
import type { BoundServer } from "../../src/ops/bind-server.ts";
import { Health } from "../../src/ops/health.ts";
import { createPrometheus } from "../../src/ops/prometheus.ts";
import { failureCode } from "../rig/failure-code.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const loopback = parseListenAddress("127.0.0.1:0")!;
const canary = "CANARY-078051120";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function send(address: ListenAddress, options: RequestOptions & { readonly send?: string }): Promise<Answer> {
  const where = address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  const sent = request({ ...where, agent: false, ...options });
  sent.end(options.send);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

async function sendRaw(address: TcpAddress, bytes: string): Promise<string> {
  const socket = connect(address.port, address.host);
  socket.write(bytes);
  return text(socket);
}

describe("admin listeners", () => {
  const folder = useScratchFolder();
  const started: BoundServer[] = [];
  let health: Health;

  const start = async (pages: AdminPages, ownHostOnly = true, address = loopback): Promise<BoundServer> => {
    const bound = await startAdminListener({ address, pages, ownHostOnly });
    started.push(bound);
    return bound;
  };
  const startTcp = async (pages: AdminPages, ownHostOnly = true): Promise<TcpAddress> => {
    const { address } = await start(pages, ownHostOnly);
    if (address.kind !== "tcp") throw new Error("not TCP");
    return address;
  };
  beforeEach(() => (health = new Health()));
  afterEach(() => Promise.all(started.splice(0).map((bound) => bound.close(100))));

  it("says live, ready with notes, and metrics", async () => {
    health.addNote("KEK dev is for development only");
    const address = await startTcp(adminPages(health, createPrometheus()));
    expect((await send(address, { path: "/livez" })).status).to.equal(200);
    const ready = await send(address, { path: "/readyz" });
    expect(ready.status).to.equal(200);
    expect(JSON.parse(ready.body)).to.deep.equal({
      ready: true,
      reasons: [],
      notes: ["KEK dev is for development only"],
    });
    const metrics = await send(address, { path: "/metrics" });
    expect(metrics.headers["content-type"]).to.match(/^text\/plain; version=0\.0\.4/);
    expect(metrics.body).to.include("sealwright_requests_total");
    expect(metrics.headers["cache-control"]).to.equal("no-store");
  });

  it("tells on admin, and on admin only, why it is not ready", async () => {
    health.addCheck("keys", () => "key service out of reach");
    const admin = await startTcp(adminPages(health, createPrometheus()));
    const answer = await send(admin, { path: "/readyz" });
    expect(answer.status).to.equal(503);
    expect(answer.body).to.include('"reasons":[{"check":"keys","reason":"key service out of reach"}]');
    const probes = await startTcp(probePages(health), false);
    const probe = await send(probes, { path: "/readyz" });
    expect(probe.status).to.equal(503);
    expect(probe.body).to.equal("not ready\n");
  });

  it("has no metrics for probes and no health for scrapers", async () => {
    const probes = await startTcp(probePages(health), false);
    const metrics = await startTcp(metricsPages(createPrometheus()), false);
    expect((await send(probes, { path: "/metrics" })).status).to.equal(404);
    expect((await send(metrics, { path: "/readyz" })).status).to.equal(404);
    expect((await send(metrics, { path: "/metrics" })).status).to.equal(200);
  });

  it("takes GET and HEAD only, exact paths only, and reads no body", async () => {
    const address = await startTcp(adminPages(health, createPrometheus()));
    const post = await send(address, { path: "/livez", method: "POST", send: canary });
    expect([post.status, post.headers["allow"], post.headers["connection"]]).to.deep.equal([405, "GET, HEAD", "close"]);
    const head = await send(address, { path: "/livez", method: "HEAD" });
    expect([head.status, head.body, head.headers["content-length"]]).to.deep.equal([200, "", "5"]);
    for (const path of ["/", "/livez/", "/livez?x=1", "//livez", "/LIVEZ", `/${canary}`]) {
      const answer = await send(address, { path });
      expect(answer.status, path).to.equal(404);
      expect(answer.body).not.to.include(canary);
    }
  });

  it("answers no request that a browser was led to under another host name", async () => {
    const pages = adminPages(health, createPrometheus());
    const own = await startTcp(pages);
    for (const host of ["rebound.example", "localhost.rebound.example", "127.0.0.1.rebound.example:80"])
      expect((await send(own, { path: "/readyz", headers: { host } })).status, host).to.equal(421);
    for (const host of ["127.0.0.1:1234", "localhost", "[::1]:80"])
      expect((await send(own, { path: "/readyz", headers: { host } })).status, host).to.equal(200);
    const others = await startTcp(pages, false);
    expect((await send(others, { path: "/readyz", headers: { host: "pod.internal" } })).status).to.equal(200);
  });

  it("closes on broken HTTP, oversized headers, upgrades and CONNECT", async () => {
    const address = await startTcp(adminPages(health, createPrometheus()));
    const hostile = [
      "nonsense\r\n\r\n",
      `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
      "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      "CONNECT other:443 HTTP/1.1\r\nhost: other:443\r\n\r\n",
    ];
    for (const bytes of hostile) expect(await sendRaw(address, bytes)).to.equal("");
    expect((await send(address, { path: "/livez" })).status).to.equal(200);
  });

  it("serves a Unix socket that only its own user reaches, and leaves a living one alone", async () => {
    const path = join(folder(), "admin.sock");
    const address = parseListenAddress(`unix:${path}`)!;
    const first = await start(adminPages(health, createPrometheus()), true, address);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect((await send(first.address, { path: "/livez" })).status).to.equal(200);
    // Alive: the second one must not take its place.
    expect(await failureCode(() => start(probePages(health), true, address))).to.equal("listen_failed");
    expect((await send(first.address, { path: "/metrics" })).status).to.equal(200);
  });

  it("takes the place of a Unix socket that a killed process left", async () => {
    const [left, path] = [join(folder(), "left.sock"), join(folder(), "admin.sock")];
    const first = await start(probePages(health), true, parseListenAddress(`unix:${left}`));
    linkSync(left, path);
    await first.close(0);
    expect(statSync(path).isSocket()).to.equal(true);
    const second = await start(probePages(health), true, parseListenAddress(`unix:${path}`));
    expect((await send(second.address, { path: "/livez" })).status).to.equal(200);
  });

  it("refuses an address that is taken, and a path where a file lies", async () => {
    const taken = await startTcp(probePages(health));
    expect(await failureCode(() => start(probePages(health), true, taken))).to.equal("listen_failed");
    const path = join(folder(), "file");
    writeFileSync(path, "kept");
    const address = parseListenAddress(`unix:${path}`)!;
    expect(await failureCode(() => start(probePages(health), true, address))).to.equal("listen_failed");
    expect(statSync(path).isFile()).to.equal(true);
  });
});
