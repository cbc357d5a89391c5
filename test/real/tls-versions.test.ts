import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

import { expect } from "chai";

import { freePorts } from "../../src/app/demo/free-ports.ts";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { ServerProcess } from "./stage/server-process.ts";
import { SidecarStage } from "./stage/sidecar-stage.ts";

interface Run {
  readonly code: number | null;
  readonly text: string;
}

/** Runs a TLS tool to its end. A missing one fails the test. */
function run(program: string, args: readonly string[], input = ""): Run {
  const done = spawnSync(program, args, { input, encoding: "utf8", timeout: 60_000 });
  if (done.error !== undefined) throw done.error;
  return { code: done.status, text: done.stdout + done.stderr };
}

const request = "GET /anything HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

describe("TLS versions, by openssl and sslscan", () => {
  let cleanup: AsyncDisposableStack;
  let stage: SidecarStage;
  let storePort = 0;

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    stage = cleanup.use(await SidecarStage.create());
    await stage.issue("client", "client");
    [storePort = 0] = await freePorts(1);
  });

  afterEach(() => cleanup.disposeAsync());

  describe("inbound listener", () => {
    beforeEach(async () => {
      await stage.start({ upstreamPort: storePort });
    });

    /** Asks by s_client, which keeps its own end open until the other one closes. */
    async function client(...args: readonly string[]): Promise<Run> {
      const target = ["-connect", `127.0.0.1:${stage.inboundPort}`, "-CAfile", stage.path("ca.crt")];
      const child = spawn("openssl", ["s_client", ...target, "-verify_return_error", ...args]);
      let text = "";
      const hear = (chunk: Buffer): void => {
        text += chunk.toString();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.stdin.on("error", () => undefined);
      child.stdin.write(request);
      const impatience = setTimeout(() => child.kill(), 10_000);
      const [code] = (await once(child, "close")) as [number | null];
      clearTimeout(impatience);
      return { code, text };
    }

    const shown = (): string[] => ["-cert", stage.path("client.crt"), "-key", stage.path("client.key")];

    it("takes TLS 1.3 with a client certificate and answers", async () => {
      const { text } = await client("-tls1_3", ...shown());
      expect(text).to.match(/New, TLSv1\.3, Cipher is TLS_(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA(256|384)/);
      expect(text).to.match(/HTTP\/1\.1 502 /);
      expect(text).to.include("upstream_unreachable");
    });

    for (const version of ["-tls1_2", "-tls1_1", "-tls1"]) {
      it(`refuses ${version.slice(1)}`, async () => {
        const { code, text } = await client(version, "-cipher", "ALL:@SECLEVEL=0", ...shown());
        expect(code).to.not.equal(0);
        expect(text).to.match(/alert protocol version|no protocols available/);
        expect(text).to.not.include("HTTP/1.1");
      });
    }

    it("answers nobody without a client certificate", async () => {
      const { text } = await client("-tls1_3");
      expect(text).to.match(/alert (certificate required|handshake failure)/);
      expect(text).to.not.include("HTTP/1.1");
    });

    it("answers nobody whose certificate comes from another authority", async () => {
      await stage.issue("client", "client", await createTestPki("another authority"));
      const { code, text } = await client("-tls1_3", ...shown());
      expect(code).to.not.equal(0);
      expect(text).to.not.include("HTTP/1.1");
    });

    it("shows sslscan TLS 1.3 and no older protocol, no compression, no heartbleed", () => {
      const certificate = [`--certs=${stage.path("client.crt")}`, `--pk=${stage.path("client.key")}`];
      const { code, text } = run("sslscan", ["--xml=-", ...certificate, `127.0.0.1:${stage.inboundPort}`]);
      expect(code).to.equal(0);
      const enabled = [...text.matchAll(/<protocol type="(\w+)" version="([\d.]+)" enabled="1"/g)];
      expect(enabled.map(([, type = "", version = ""]) => `${type} ${version}`)).to.deep.equal(["tls 1.3"]);
      const ciphers = [...text.matchAll(/<cipher [^>]*sslversion="([^"]+)"[^>]* cipher="([^"]+)"/g)];
      expect(ciphers).to.not.be.empty;
      expect(ciphers.filter(([, version]) => version !== "TLSv1.3")).to.deep.equal([]);
      expect(text).to.not.match(/<compression supported="1"/);
      expect(text).to.not.match(/vulnerable="1"/);
    });
  });

  describe("outbound hop", () => {
    async function store(...args: readonly string[]): Promise<ServerProcess> {
      const identity = ["-cert", stage.path("store.crt"), "-key", stage.path("store.key")];
      const clients = ["-Verify", "1", "-verify_return_error", "-CAfile", stage.path("ca.crt")];
      const accept = ["-accept", `127.0.0.1:${storePort}`, "-www"];
      const order = { program: "openssl", args: ["s_server", ...accept, ...identity, ...clients, ...args] };
      return cleanup.use(await ServerProcess.start({ ...order, port: storePort }));
    }

    const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${stage.port}/`);

    it("goes out by TLS 1.3 with the sidecar's certificate", async () => {
      await store("-tls1_3");
      await stage.start({ upstreamPort: storePort });
      const response = await ask();
      const page = await response.text();
      expect(response.status).to.equal(200);
      expect(page).to.match(/Protocol\s*: TLSv1\.3/);
      expect(page).to.match(/Subject: CN\s*=\s*sidecar/);
    });

    for (const version of ["-tls1_2", "-tls1_1"]) {
      it(`does not go out to a store that speaks ${version.slice(1)} only`, async () => {
        await store(version, "-cipher", "ALL:@SECLEVEL=0");
        await stage.start({ upstreamPort: storePort });
        const response = await ask();
        expect(response.status).to.equal(502);
        expect(await response.json()).to.have.property("code", "upstream_unreachable");
      });
    }
  });
});
