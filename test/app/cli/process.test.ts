import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, request } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { IncomingMessage } from "node:http";
import { expect } from "chai";
import { freePorts } from "../../../src/app/demo/free-ports.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runCommand, Sidecar } from "../../rig/sidecar.ts";
import { runInProcess, writeSidecarFolder, type FolderPorts } from "./command-line.ts";

const canary = "CANARY-078051120";
const oldNode = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})";

describe("the program as a process", () => {
  const folder = useScratchFolder();
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  const portOf = (server: Server): number => (server.address() as AddressInfo).port;

  /** An upstream that answers what it got, after `delayMs`. */
  async function startUpstream(delayMs = 0): Promise<number> {
    const server = createHttpServer((incoming, response) => {
      void text(incoming).then((body) =>
        setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(body), delayMs),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    open.push({ close: () => server.close() });
    return portOf(server);
  }

  async function prepare(upstream: number): Promise<FolderPorts> {
    const [admin = 0, listener = 0] = await freePorts(2);
    const ports = { admin, listener, upstream };
    const config = writeSidecarFolder(folder(), ports);
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    await runInProcess(["keys", "init", "-c", config]);
    await runInProcess(["keys", "add", "-c", config, "--active"]);
    return ports;
  }

  async function put(port: number, body: string): Promise<{ status: number | undefined; body: string }> {
    const headers = { "content-type": "application/json", "x-tenant-id": "acme" };
    const sent = request({ host: "127.0.0.1", port, path: "/v1/patients/7", method: "PUT", headers, agent: false });
    sent.end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    return { status: answer.statusCode, body: await text(answer) };
  }

  const start = async (ports: FolderPorts): Promise<Sidecar> => {
    const sidecar = await Sidecar.start({ folder: folder(), port: ports.listener, adminPort: ports.admin });
    open.push({ close: () => sidecar.stop() });
    return sidecar;
  };

  it("needs Node.js 26, says so on an older one, and exits 2", async () => {
    const ran = await runCommand({ folder: folder(), args: ["--version"], nodeArgs: ["--import", oldNode] });
    expect([ran.code, ran.stdout]).to.deep.equal([2, ""]);
    expect(ran.stderr).to.match(/^node_version: .*26.*20\.20\.2/);
  });

  it("writes results to stdout, the rest to stderr, and no colour where nobody looks", async () => {
    await prepare(8080);
    const ran = await runCommand({ folder: folder(), args: ["check", "-c", "sidecar.yaml"] });
    expect(ran.code).to.equal(0);
    expect(ran.stdout).to.match(/^sidecar\.yaml is good\n/);
    expect(ran.stderr).to.include("size-growth");
    expect(ran.stdout + ran.stderr).not.to.include("\u001b");
  });

  it("runs, seals, says at start what it lets through, and drains on SIGTERM", async () => {
    const ports = await prepare(await startUpstream(300));
    const sidecar = await start(ports);
    const underWay = put(ports.listener, `{"ssn":"${canary}"}`);
    await new Promise((settle) => setTimeout(settle, 100));
    sidecar.signal("SIGTERM");
    expect(await underWay).to.deep.equal({ status: 200, body: `{"ssn":"${canary}"}` });
    const startedMs = performance.now();
    while (sidecar.exitCode === undefined && performance.now() - startedMs < 5000)
      await new Promise((settle) => setTimeout(settle, 10));
    expect(sidecar.exitCode).to.equal(0);
    const lines = sidecar.output.toString().trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.find(({ event }) => event === "listener_started")).to.include({
      listener: "store",
      direction: "outbound",
      reason: "unmatched: deny",
    });
    expect(events.find(({ event }) => event === "kms_development")).to.include({ level: "warn", kek: "dev" });
    expect(events.map(({ event }) => event).slice(-2)).to.deep.equal(["stopping", "stopped"]);
    expect(sidecar.output.toString()).not.to.include(canary);
  });

  it("is not ready while it stops", async () => {
    const ports = await prepare(await startUpstream(600));
    const sidecar = await start(ports);
    const underWay = put(ports.listener, "{}");
    await new Promise((settle) => setTimeout(settle, 100));
    sidecar.signal("SIGTERM");
    await new Promise((settle) => setTimeout(settle, 100));
    const ready = await sidecar.admin("/readyz");
    expect(ready.status).to.equal(503);
    expect(ready.body).to.include('"reason":"stopping"');
    expect((await sidecar.admin("/livez")).status).to.equal(200);
    expect((await underWay).status).to.equal(200);
  });

  it("exits 1 at once on a second signal", async () => {
    const ports = await prepare(await startUpstream(5000));
    const sidecar = await start(ports);
    put(ports.listener, "{}").catch(() => undefined);
    await new Promise((settle) => setTimeout(settle, 100));
    sidecar.signal("SIGINT");
    await new Promise((settle) => setTimeout(settle, 100));
    expect(sidecar.exitCode).to.equal(undefined);
    sidecar.signal("SIGINT");
    await new Promise((settle) => setTimeout(settle, 300));
    expect(sidecar.exitCode).to.equal(1);
  });

  it("does not start where an address is taken, and leaves nothing bound", async () => {
    const ports = await prepare(8080);
    const taken = createServer().listen(ports.listener, "127.0.0.1");
    await once(taken, "listening");
    open.push(taken);
    const ran = await runCommand({ folder: folder(), args: ["run", "-c", "sidecar.yaml"] });
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.include("listen_failed");
  });

  it("does not start without its keyring, with a forged one, or with a readable key file", async () => {
    await prepare(8080);
    const args = ["run", "-c", "sidecar.yaml"];
    writeFileSync(join(folder(), "keyring.json"), "{}");
    const forged = await runCommand({ folder: folder(), args });
    expect([forged.code, /keyring_invalid/.test(forged.stderr)]).to.deep.equal([1, true]);
    chmodSync(join(folder(), "kek.json"), 0o644);
    rmSync(join(folder(), "keyring.json"));
    const missing = await runCommand({ folder: folder(), args });
    expect(missing.code).to.equal(1);
    expect(missing.stderr).to.match(/key-file-mode/);
    expect(missing.stderr).to.match(/file-missing/);
  });
});
