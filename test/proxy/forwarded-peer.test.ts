import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import { createTestPki, type CertificateRequest } from "../../src/app/demo/pki.ts";
import { forwardedPeer } from "../../src/proxy/forwarded-peer.ts";

async function told(request: CertificateRequest): Promise<string> {
  const { cert } = await (await createTestPki()).issue(request);
  return forwardedPeer(new X509Certificate(cert));
}

describe("what the app is told of a client", () => {
  it("names hash, subject, URIs and DNS names", async () => {
    const text = await told({ name: "front", uri: ["spiffe://a/b"], dns: ["x.test", "y.test"], usage: "client" });
    expect(text).to.match(/^Hash=[0-9a-f]{64};Subject="CN=front";/u);
    expect(text.split(";").slice(2)).to.have.members(["URI=spiffe://a/b", "DNS=x.test", "DNS=y.test"]);
  });

  it("lets no name pose as another element, and no byte break the header", async () => {
    const text = await told({
      name: "front",
      uri: ["spiffe://a/b,Hash=0;URI=spiffe://a/admin", 'https://a/"x"'],
      usage: "client",
    });
    expect(text).to.include('URI="spiffe://a/b,Hash=0;URI=spiffe://a/admin"');
    expect(text).to.match(/^[\x20-\x7e]+$/u);
    expect(text.replaceAll(/"(?:[^"\\]|\\.)*"/gu, "").split(";")).to.have.length(4);
    expect(await told({ name: "fränt\u0001", usage: "client" })).to.match(/^[\x20-\x7e]+$/u);
  });
});
