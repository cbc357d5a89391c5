import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type ConnectionOptions, type TlsOptions } from "node:tls";
import { expect } from "chai";
import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";
import type { UpstreamOptions } from "../../src/proxy/listener-options.ts";
import { parsePeerRule, type PeerRule } from "../../src/proxy/peer-names.ts";
import { parsePin, type Pin } from "../../src/proxy/pins.ts";
import type { TlsIdentity } from "../../src/proxy/tls.ts";
import { HttpReader, type HttpMessage } from "../rig/http-reader.ts";
import { PlainUpstream } from "./plain-upstream.ts";
import { codeIn, ProxyRig, statusOf } from "./proxy-rig.ts";

const bytes = ({ cert, key }: TestIdentity): TlsIdentity => ({ cert: Buffer.from(cert), key: Buffer.from(key) });
const rule = (text: string): PeerRule => parsePeerRule(text)!;
const front = "spiffe://prod/ns/web/sa/front";

describe("TLS on both hops", () => {
  let pki: TestPki;
  let other: TestPki;
  let server: TestIdentity;
  let client: TestIdentity;

  before(async () => {
    [pki, other] = await Promise.all([createTestPki(), createTestPki("Another CA")]);
    server = await pki.issue({ name: "sidecar", dns: ["sidecar.test"], usage: "server" });
    client = await pki.issue({ name: "front", uri: [front], usage: "client" });
  });

  describe("inbound", () => {
    let rig: ProxyRig;

    before(async () => {
      const clients = { ca: Buffer.from(pki.ca), allow: [rule(front), rule("dns:gateway.internal")] };
      rig = await ProxyRig.start({ direction: "inbound", tls: { identity: bytes(server), clients } });
    });

    after(async () => {
      await rig.stop();
    });

    /** The answer, or the error code of a handshake that failed. */
    async function ask(
      options: ConnectionOptions,
      headers = "",
    ): Promise<{ answer?: HttpMessage; failed?: string; resumed?: boolean }> {
      const socket = connect({ port: rig.port, host: "127.0.0.1", ca: pki.ca, servername: "sidecar.test", ...options });
      const reader = new HttpReader({ kind: "answers", methods: ["GET"] });
      const failed = new Promise<string>((settle) => {
        socket.on("error", (error: NodeJS.ErrnoException) => settle(error.code ?? "error"));
        socket.on("close", () => settle("closed"));
      });
      const answered = new Promise<HttpMessage>((settle) => {
        socket.on("data", (chunk: Buffer) => {
          const [message] = reader.write(chunk);
          if (message !== undefined) settle(message);
        });
      });
      socket.write(`GET /open HTTP/1.1\r\nhost: app.test\r\n${headers}\r\n`);
      const result = await Promise.race([answered, failed]);
      const resumed = socket.isSessionReused();
      socket.destroy();
      return typeof result === "string" ? { failed: result } : { answer: result, resumed };
    }

    it("speaks TLS 1.3 with a post-quantum key exchange and no older version", async () => {
      const socket = connect({ port: rig.port, host: "127.0.0.1", ca: pki.ca, servername: "sidecar.test", ...client });
      await once(socket, "secureConnect");
      expect(socket.getProtocol()).to.equal("TLSv1.3");
      expect(socket.getEphemeralKeyInfo()).to.have.property("name", "X25519MLKEM768");
      socket.destroy();
      const old = connect({ port: rig.port, host: "127.0.0.1", ca: pki.ca, ...client, maxVersion: "TLSv1.2" });
      const [error] = (await once(old, "error")) as [NodeJS.ErrnoException];
      expect(error.code).to.equal("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    });

    it("refuses clients without a good certificate", async () => {
      const day = 86_400_000;
      const now = Date.now();
      const name = { name: "front", uri: [front] };
      const bad: Readonly<Record<string, TestIdentity | undefined>> = {
        none: undefined,
        "another authority": await other.issue({ ...name, usage: "client" }),
        "self-signed": await pki.selfSigned({ ...name, usage: "client" }),
        expired: await pki.issue({
          ...name,
          usage: "client",
          notBefore: new Date(now - 2 * day),
          notAfter: new Date(now - day),
        }),
        "not yet valid": await pki.issue({
          ...name,
          usage: "client",
          notBefore: new Date(now + day),
          notAfter: new Date(now + 2 * day),
        }),
        "server only": await pki.issue({ ...name, usage: "server" }),
      };
      for (const [label, identity] of Object.entries(bad)) {
        const { answer, failed } = await ask({ ...identity });
        expect(answer, label).to.equal(undefined);
        expect(failed, label).to.be.a("string");
      }
    });

    it("answers 403 to a certificate whose name is not on the list, common names never count", async () => {
      const names = [
        { name: front, usage: "client" as const },
        { name: "gateway.internal", usage: "client" as const, dns: ["other.internal"] },
        { name: "x", usage: "client" as const, uri: ["spiffe://prod/ns/web/sa/front2"] },
        {
          name: "x",
          usage: "client" as const,
          uri: ["spiffe://prod/ns/web/sa/back, URI:spiffe://prod/ns/web/sa/front"],
        },
        { name: "x", usage: "client" as const, dns: ["*.internal"] },
      ];
      for (const request of names) {
        const { answer } = await ask(await pki.issue(request));
        expect([statusOf(answer), codeIn(answer)], JSON.stringify(request)).to.deep.equal([403, "client_refused"]);
      }
      const { answer } = await ask(await pki.issue({ name: "x", usage: "client", dns: ["Gateway.Internal"] }));
      expect(statusOf(answer)).to.equal(200);
    });

    it("keeps the client's host and strips what it says about who it is (F-50)", async () => {
      const before = rig.upstream.requests.length;
      const claims = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Client-Cert: x",
        "Forwarded: for=x",
        "X-Real-IP: x",
        "X-Sealwright-Tenant: x",
      ];
      await ask(client, `${claims.join("\r\n")}\r\n`);
      const request = rig.upstream.requests[before]!;
      expect(request.headers.map(({ name }) => name)).to.deep.equal([
        "host",
        "connection",
        "accept-encoding",
        "accept",
        "x-forwarded-client-cert",
      ]);
      expect(request.headers[0]?.value).to.equal("app.test");
    });

    it("tells the app who the client is, as Envoy writes it, over each kind of connection", async () => {
      const hash = createHash("sha256").update(new X509Certificate(client.cert).raw).digest("hex");
      const first = connect({ port: rig.port, host: "127.0.0.1", ca: pki.ca, servername: "sidecar.test", ...client });
      const session = new Promise<Buffer>((settle) => first.once("session", settle));
      first.write("GET /open HTTP/1.1\r\nhost: a\r\n\r\n");
      for (const more of [{}, { session: await session }]) {
        const before = rig.upstream.requests.length;
        await ask({ ...client, ...more });
        const told = rig.upstream.requests[before]!.headers.filter(({ name }) => name === "x-forwarded-client-cert");
        expect(told.map(({ value }) => value)).to.deep.equal([`Hash=${hash};Subject="CN=front";URI=${front}`]);
      }
      first.destroy();
    });

    it("serves resumed sessions under the same rules", async () => {
      const first = connect({ port: rig.port, host: "127.0.0.1", ca: pki.ca, servername: "sidecar.test", ...client });
      const session = new Promise<Buffer>((settle) => first.once("session", settle));
      first.write("GET /open HTTP/1.1\r\nhost: a\r\n\r\n");
      const { answer, resumed } = await ask({ ...client, session: await session });
      first.destroy();
      expect([statusOf(answer), resumed]).to.deep.equal([200, true]);
    });

    it("survives odd server names (L-06)", async () => {
      for (const servername of ["unknown.test", "a".repeat(250), "x".repeat(63)]) {
        const result = await ask({ ...client, servername, rejectUnauthorized: false });
        expect(result.answer === undefined || statusOf(result.answer) === 200, servername).to.equal(true);
      }
      expect(statusOf((await ask(client)).answer)).to.equal(200);
    });
  });

  describe("outbound", () => {
    interface Peer {
      readonly identity: TestIdentity;
      readonly tls?: TlsOptions;
      readonly upstream?: Partial<NonNullable<UpstreamOptions["tls"]>>;
      readonly host?: string;
    }

    /** Status and code of one request to an upstream that shows `identity`. */
    async function reach(peer: Peer): Promise<{ status: number; code: string | undefined; requests: number }> {
      const { identity } = peer;
      const upstream = await PlainUpstream.start({
        ...identity,
        ca: pki.ca,
        requestCert: true,
        rejectUnauthorized: true,
        ...peer.tls,
      });
      const origin = `https://${peer.host ?? "localhost"}:${upstream.port}`;
      const tls = {
        identity: bytes(client),
        trust: { ca: Buffer.from(pki.ca) },
        servername: undefined,
        allow: [],
        pins: [],
        ...peer.upstream,
      };
      const rig = await ProxyRig.start({ upstream: { origin, tls } });
      try {
        const answer = await rig.ask({ method: "GET", target: "/through", headers: [] });
        const ok = statusOf(answer) === 200;
        return { status: statusOf(answer), code: ok ? undefined : codeIn(answer), requests: upstream.requests.length };
      } finally {
        await rig.stop();
        await upstream.stop();
      }
    }

    const good = { status: 200, code: undefined, requests: 1 };
    const identityRefused = { status: 502, code: "upstream_identity", requests: 0 };
    const unreachable = { status: 502, code: "upstream_unreachable", requests: 0 };

    it("reaches an upstream that its certificate names by host, address, or allow-list", async () => {
      const local = await pki.issue({ name: "store", dns: ["localhost"], ip: ["127.0.0.1"], usage: "server" });
      expect(await reach({ identity: local })).to.deep.equal(good);
      expect(await reach({ identity: local, host: "127.0.0.1" })).to.deep.equal(good);
      const spiffe = await pki.issue({ name: "store", uri: ["spiffe://prod/store"], usage: "server" });
      expect(await reach({ identity: spiffe, upstream: { allow: [rule("spiffe://prod/store")] } })).to.deep.equal(good);
      expect(await reach({ identity: spiffe, upstream: { allow: [rule("spiffe://prod/*")] } })).to.deep.equal(good);
      const wildcard = await pki.issue({ name: "store", dns: ["*.db.test"], usage: "server" });
      expect(await reach({ identity: wildcard, upstream: { servername: "a.db.test" } })).to.deep.equal(good);
    });

    it("sends nothing to an upstream with the wrong certificate (L-03)", async () => {
      const now = Date.now();
      const named = { name: "localhost", usage: "server" as const };
      const cases: Readonly<Record<string, Peer>> = {
        "wrong name": { identity: await pki.issue({ ...named, dns: ["other.test"] }) },
        "common name only": { identity: await pki.issue(named) },
        "name where an address is asked": {
          identity: await pki.issue({ ...named, dns: ["127.0.0.1"] }),
          host: "127.0.0.1",
        },
        "wildcard two levels deep": {
          identity: await pki.issue({ ...named, dns: ["*.test"] }),
          upstream: { servername: "a.b.test" },
        },
        "another authority": { identity: await other.issue({ ...named, dns: ["localhost"] }) },
        "self-signed": { identity: await pki.selfSigned({ ...named, dns: ["localhost"] }) },
        expired: {
          identity: await pki.issue({
            ...named,
            dns: ["localhost"],
            notBefore: new Date(now - 9e7),
            notAfter: new Date(now - 1e6),
          }),
        },
        "client only": { identity: await pki.issue({ name: "x", usage: "client", dns: ["localhost"] }) },
        "not on the list": {
          identity: await pki.issue({ ...named, dns: ["localhost"] }),
          upstream: { allow: [rule("dns:other.test")] },
        },
      };
      for (const [label, peer] of Object.entries(cases))
        expect(await reach(peer), label).to.deep.equal(identityRefused);
    });

    it("holds a pinned key", async () => {
      const identity = await pki.issue({ name: "store", dns: ["localhost"], usage: "server" });
      const wrong: Pin = parsePin(`sha256/${"A".repeat(43)}=`)!;
      expect(await reach({ identity, upstream: { pins: [wrong] } })).to.deep.equal({
        ...identityRefused,
        code: "upstream_pin",
      });
    });

    it("sends nothing over TLS 1.2, and nothing where its own certificate is refused (L-01)", async () => {
      const identity = await pki.issue({ name: "store", dns: ["localhost"], usage: "server" });
      expect(await reach({ identity, tls: { maxVersion: "TLSv1.2" } })).to.deep.equal(unreachable);
      for (const peer of [
        { identity, tls: { ca: other.ca } },
        { identity, upstream: { identity: undefined } },
      ]) {
        const { status, code, requests } = await reach(peer);
        expect([status, requests]).to.deep.equal([502, 0]);
        // A Node server closes without the alert that would say why.
        expect(code).to.be.oneOf(["upstream_unreachable", "upstream_invalid"]);
      }
    });
  });
});
