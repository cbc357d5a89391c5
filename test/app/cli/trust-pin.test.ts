import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import { createTestPki, type TestIdentity, type TestPki } from "../../../src/app/demo/pki.ts";
import { formatPin, parsePinFile, pinOf } from "../../../src/proxy/pins.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess } from "./command-line.ts";

describe("trust pin", () => {
  const folder = useScratchFolder();
  const servers: Server[] = [];
  let pki: TestPki;
  let store: TestIdentity;

  before(async () => {
    pki = await createTestPki();
    store = await pki.issue({ name: "store", ip: ["127.0.0.1"], usage: "server" });
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(options: TlsOptions = {}): Promise<string> {
    const server = createServer({ ...store, ...options }, (socket) => socket.on("error", () => undefined));
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    servers.push(server);
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const at = (name: string): string => join(folder(), name);
  const pin = (): string => formatPin(pinOf(new X509Certificate(store.cert)));

  it("shows the chain and its keys, and writes nothing by itself", async () => {
    writeFileSync(at("ca.crt"), pki.ca);
    const ran = await runInProcess(["trust", "pin", await serve(), "--ca", at("ca.crt")]);
    expect(ran.code, ran.stderr).to.equal(0);
    expect(ran.stdout).to.include(pin()).and.to.include("CN=store").and.to.include("vouch for it");
    expect(ran.stdout).not.to.include("NOT vouch");
  });

  it("says when the authorities do not vouch for it", async () => {
    writeFileSync(at("ca.crt"), (await createTestPki("Another")).ca);
    const ran = await runInProcess(["trust", "pin", await serve(), "--ca", at("ca.crt")]);
    expect(ran.stdout).to.include("NOT vouch");
  });

  it("never pins unasked what the given authorities do not vouch for", async () => {
    writeFileSync(at("ca.crt"), (await createTestPki("Another")).ca);
    const order = ["trust", "pin", await serve(), "--ca", at("ca.crt"), "--out", at("store.pins"), "--yes"];
    const ran = await runInProcess(order);
    expect(ran.stderr).to.include("upstream_identity");
    expect([ran.code === 0, existsSync(at("store.pins"))]).to.deep.equal([false, false]);
  });

  it("writes the pin once somebody agreed, in a form that the sidecar reads, and never over a file", async () => {
    const url = await serve();
    const refused = await runInProcess(["trust", "pin", url, "--out", at("store.pins")]);
    expect([refused.code, existsSync(at("store.pins"))]).to.deep.equal([1, false]);
    const agreed = await runInProcess(["trust", "pin", url, "--out", at("store.pins")], "", true);
    expect(agreed.code, agreed.stderr).to.equal(0);
    const pins = parsePinFile(readFileSync(at("store.pins"), "utf8"));
    expect(pins?.map(formatPin)).to.deep.equal([pin()]);
    expect((await runInProcess(["trust", "pin", url, "--out", at("store.pins"), "--yes"])).code).to.equal(1);
    const json = await runInProcess(["trust", "pin", url, "--out", at("second.pins"), "--yes", "--json"]);
    expect(JSON.parse(json.stdout)).to.deep.equal({ ok: true, pin: pin(), vouched: null });
  });

  it("sees a server that wants a client certificate, and none that is older than TLS 1.3 or not there", async () => {
    const strict = await serve({ requestCert: true, rejectUnauthorized: true, ca: pki.ca });
    expect((await runInProcess(["trust", "pin", strict])).stdout).to.include(pin());
    const old = await serve({ maxVersion: "TLSv1.2" });
    expect((await runInProcess(["trust", "pin", old])).stderr).to.include("upstream_unreachable");
    expect((await runInProcess(["trust", "pin", "https://127.0.0.1:1"])).stderr).to.include("upstream_unreachable");
    for (const url of ["http://127.0.0.1:1", "store", ""])
      expect((await runInProcess(["trust", "pin", url])).code).to.equal(2);
  });
});

describe("pin files", () => {
  const one = `sha256/${"A".repeat(43)}=`;

  it("hold one pin a line, comments and blank lines between them", () => {
    expect(parsePinFile(`# store\n${one}\n\n  ${one}  # spare\r\n`)).to.have.length(2);
  });

  it("are refused whole when a line is none, or there is none", () => {
    for (const text of ["", "# only\n", `${one}\nsha256/short\n`, `${one} ${one}\n`, "sha1/AAAA"])
      expect(parsePinFile(text), text).to.equal(undefined);
  });
});
