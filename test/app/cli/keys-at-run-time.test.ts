import { readFileSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { freePorts } from "../../../src/app/demo/free-ports.ts";
import type { DrillReport } from "../../../src/keys/usage/key-drill.ts";
import { parseUsageReport, type KeyUsageCounts } from "../../../src/keys/usage/usage-report.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { Sidecar } from "../../rig/sidecar.ts";
import { runInProcess, writeSidecarFolder, type FolderPorts } from "./command-line.ts";

describe("keys of a running sidecar", () => {
  const folder = useScratchFolder();
  let upstream: Server;
  let ports: FolderPorts;
  let config: string;
  let sidecar: Sidecar | undefined;

  before(async () => {
    upstream = createServer((incoming, response) => {
      void text(incoming).then((body) => response.writeHead(200, { "content-type": "application/json" }).end(body));
    });
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
  });
  after(() => upstream.close());
  beforeEach(async () => {
    const [admin = 0, listener = 0] = await freePorts(2);
    ports = { admin, listener, upstream: (upstream.address() as AddressInfo).port };
    config = writeSidecarFolder(folder(), ports);
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    await runInProcess(["keys", "init", "-c", config]);
    await runInProcess(["keys", "add", "-c", config, "--active"]);
  });
  afterEach(() => sidecar?.stop());

  const edit = (from: string, to: string): void =>
    writeFileSync(config, readFileSync(config, "utf8").replace(from, to));
  async function start(): Promise<Sidecar> {
    sidecar = await Sidecar.start({ folder: folder(), port: ports.listener, adminPort: ports.admin });
    return sidecar;
  }
  /** Seals one value on its way there and opens it on its way back. */
  async function put(): Promise<number | undefined> {
    const headers = { "content-type": "application/json", "x-tenant-id": "acme" };
    const where = { host: "127.0.0.1", port: ports.listener, path: "/v1/patients/7", method: "PUT", agent: false };
    const sent = request({ ...where, headers });
    sent.end('{"ssn":"078051120"}');
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect(await text(answer)).to.equal('{"ssn":"078051120"}');
    return answer.statusCode;
  }
  const keyId = async (): Promise<string> =>
    (await runInProcess(["keys", "list", "-c", config, "--ids"])).stdout.trim();

  it("are counted in a report that outlasts restarts, and in metrics", async function () {
    this.timeout(20_000);
    edit("keyring: keyring.json", "keyring: keyring.json, usageReport: usage.json");
    const id = await keyId();
    const counts = (): KeyUsageCounts | undefined =>
      parseUsageReport(readFileSync(join(folder(), "usage.json"))).keys[id];
    for (const total of [2, 4]) {
      const running = await start();
      for (let index = 0; index < 2; index += 1) await put();
      const key = `key="${id.slice(0, 16)}"`;
      expect(await running.metric("sealwright_key_values_sealed_total", key)).to.equal(total);
      expect(await running.metric("sealwright_key_values_opened_total", key)).to.equal(total);
      expect(await running.metric("sealwright_data_key_unwraps_total", key)).to.equal(1);
      await running.stop();
      expect(counts()).to.include({ sealed: total, opened: total });
    }
  });

  it("show how long they would outlast the key service", async function () {
    this.timeout(20_000);
    const running = await start();
    await put();
    const answer = await running.admin("/keys/drill");
    expect(answer.status).to.equal(200);
    const drill = JSON.parse(answer.body) as DrillReport;
    expect(drill).to.deep.include({ outage: false, cold: { seal: 0, open: 0 }, more: 0 });
    expect(drill.secondsToDark.seal).to.be.within(7100, 7200);
    expect(drill.keys.map(({ key, state, inMemory }) => [key, state, inMemory])).to.deep.equal([
      [await keyId(), "active", true],
    ]);
    expect(answer.body).not.to.include("acme");
    expect(await running.metric("sealwright_seconds_to_dark", 'operation="open"')).to.be.within(7100, 7200);
    expect(await running.metric("sealwright_keyring_age_of_last_look")).to.be.within(0, 11);
  });

  it("count as purged only where a sidecar says so: another service's answer is none", async () => {
    writeFileSync(join(folder(), "admin.token"), "0123456789-abcdef\n", { mode: 0o600 });
    edit('admin: { listen: "', 'admin: { tokenFile: admin.token, listen: "');
    let body = "";
    const other = createServer((_, response) => response.end(body)).listen(ports.admin, "127.0.0.1");
    await once(other, "listening");
    try {
      for (body of ["{}", '"ok"', "[]", '{"purged":"1"}', "<html>"]) {
        const ran = await runInProcess(["keys", "purge", "-c", config]);
        expect([ran.code, ran.stdout], body).to.deep.equal([1, ""]);
        expect(ran.stderr).to.match(/^admin_refused/);
      }
    } finally {
      other.close();
    }
  });

  it("are purged by command with the token of the file, and read again", async function () {
    this.timeout(20_000);
    expect((await runInProcess(["keys", "purge", "-c", config])).stderr).to.match(/^admin_refused/);
    writeFileSync(join(folder(), "admin.token"), "0123456789-abcdef\n", { mode: 0o600 });
    edit('admin: { listen: "', 'admin: { tokenFile: admin.token, listen: "');
    const absent = await runInProcess(["keys", "purge", "-c", config]);
    expect(absent.code).to.equal(1);
    expect(absent.stderr).to.match(/^admin_refused/);
    const running = await start();
    await put();
    await runInProcess(["keys", "add", "-c", config, "--tenant", "other", "--spread", "0s"]);
    const purged = await runInProcess(["keys", "purge", "-c", config]);
    expect([purged.code, purged.stdout]).to.be.deep.oneOf([
      [0, "1 data key dropped\n"],
      [0, "2 data keys dropped\n"],
    ]);
    // The keyring was looked at in the same breath.
    expect((JSON.parse((await running.admin("/keys/drill")).body) as DrillReport).keys).to.have.length(2);
    expect(await put()).to.equal(200);
    expect(await running.metric("sealwright_key_purges_total")).to.equal(1);
    running.signal("SIGHUP");
    for (let look = 0; look < 100 && (await running.metric("sealwright_key_purges_total")) < 2; look += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await put()).to.equal(200);
    expect(running.exitCode).to.equal(undefined);
  });
});
