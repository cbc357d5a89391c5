import { expect } from "chai";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";

import { createTestPki, type CertificateRequest, type TestPki } from "../../src/app/demo/pki.ts";

describe("test PKI", () => {
  let pki: TestPki;
  before(async () => {
    pki = await createTestPki();
  });

  it("issues certificates whose names stand in the SAN and which the authority signed", async () => {
    const { cert, key } = await pki.issue({
      name: "store, O=not syntax",
      dns: ["store.test"],
      ip: ["127.0.0.1"],
      uri: ["spiffe://test/ns/a/sa/b"],
      usage: "server",
    });
    const certificate = new X509Certificate(cert);
    const root = new X509Certificate(pki.ca);
    expect(certificate.verify(root.publicKey)).to.be.true;
    expect(certificate.checkIssued(root)).to.be.true;
    expect(certificate.subjectAltName).to.equal("DNS:store.test, URI:spiffe://test/ns/a/sa/b, IP Address:127.0.0.1");
    expect(certificate.ca).to.be.false;
    expect(root.ca).to.be.true;
    expect(certificate.keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1"]);
    expect(key).to.match(/^-----BEGIN PRIVATE KEY-----/u);
  });

  it("is accepted by TLS 1.3 on both sides when all is well", async () => {
    expect(await handshake(pki, { client: await pki.issue(client) })).to.equal("accepted");
  });

  it("is refused by TLS when expired, not yet valid, for servers only, from elsewhere, or signed by itself", async () => {
    const stranger = await createTestPki();
    const refused = {
      expired: await pki.issue({
        ...client,
        notBefore: new Date(Date.now() - 9e7),
        notAfter: new Date(Date.now() - 1e7),
      }),
      early: await pki.issue({ ...client, notBefore: new Date(Date.now() + 9e7) }),
      purpose: await pki.issue({ ...client, usage: "server" }),
      elsewhere: await stranger.issue(client),
      itself: await pki.selfSigned(client),
    };
    for (const [why, identity] of Object.entries(refused)) {
      expect(await handshake(pki, { client: identity }), why).to.equal("refused");
    }
  });
});

const client: CertificateRequest = { name: "client", dns: ["client.test"], usage: "client" };

/** Whether a TLS 1.3 server that trusts `pki` accepts the client's certificate. */
async function handshake(
  pki: TestPki,
  { client: identity }: { client: { cert: string; key: string } },
): Promise<"accepted" | "refused"> {
  const own = await pki.issue({ name: "server", dns: ["server.test"], usage: "server" });
  const server = createServer({ ...own, ca: pki.ca, requestCert: true, minVersion: "TLSv1.3" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const verdict = new Promise<"accepted" | "refused">((settle) => {
    server.once("secureConnection", (socket: TLSSocket) => {
      socket.destroy();
      settle("accepted");
    });
    server.once("tlsClientError", () => settle("refused"));
  });
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", servername: "server.test", ca: pki.ca, ...identity });
  socket.on("error", () => undefined);
  try {
    return await verdict;
  } finally {
    socket.destroy();
    server.close();
  }
}
