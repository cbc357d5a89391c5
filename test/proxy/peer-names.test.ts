import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { isAllowed, parsePeerRule, parseSubjectAltNames } from "../../src/proxy/peer-names.ts";
import { isPinned, parsePin, pinOf } from "../../src/proxy/pins.ts";

const allowed = (rule: string, names: string): boolean => isAllowed([parsePeerRule(rule)!], names);

describe("names of a peer", () => {
  it("reads rules of four kinds and nothing else", () => {
    for (const text of [
      "spiffe://prod/ns/web/sa/front",
      "spiffe://prod/*/a",
      "dns:a.b",
      "dns:*.b",
      "uri:urn:x:1",
      "ip:::1",
      "ip:10.0.0.1",
    ]) {
      expect(parsePeerRule(text), text).not.to.equal(undefined);
    }
    for (const text of [
      "",
      "cn:x",
      "front",
      "dns:",
      "dns:a b",
      "dns:-a",
      "dns:a..b",
      "ip:1.2.3",
      "uri:",
      "uri:a b",
      "spiffe://",
      "spiffe://p",
      "spiffe://p/",
      "spiffe://*/a",
      "spiffe://P/a",
      "spiffe://p/../a",
      "spiffe://p/a*",
      "spiffe://p/a?b",
    ]) {
      expect(parsePeerRule(text), text).to.equal(undefined);
    }
  });

  it("compares whole names of the same kind", () => {
    expect(allowed("dns:a.b", "DNS:x.y, DNS:A.b")).to.equal(true);
    expect(allowed("dns:a.b", "DNS:*.b")).to.equal(false);
    expect(allowed("dns:a.b", "URI:a.b")).to.equal(false);
    expect(allowed("dns:a.b", "DNS:a.b.c")).to.equal(false);
    expect(allowed("ip:::1", "IP Address:0:0:0:0:0:0:0:1")).to.equal(true);
    expect(allowed("ip:10.0.0.1", "IP Address:10.0.0.2, IP Address:10.0.0.1")).to.equal(true);
    expect(allowed("spiffe://p/ns/*/sa/x", "URI:spiffe://p/ns/web/sa/x")).to.equal(true);
    expect(allowed("spiffe://p/ns/*/sa/x", "URI:spiffe://p/ns/a/b/sa/x")).to.equal(false);
    expect(allowed("spiffe://p/ns/*/sa/x", "URI:spiffe://p/ns//sa/x")).to.equal(false);
    expect(allowed("spiffe://p/ns/*/sa/x", "URI:spiffe://q/ns/web/sa/x")).to.equal(false);
  });

  it("gives no name of a text that it cannot read", () => {
    for (const text of [undefined, "", "DNS:a, ", 'DNS:"a', "DNS:a,DNS:b", 'DNS:a"b', "x"]) {
      expect(isAllowed([parsePeerRule("dns:a")!], text), text).to.equal(false);
    }
  });

  it("reads every name of a real certificate back, whatever it holds", async () => {
    const pki = await createTestPki();
    const odd = ["a, DNS:evil.test", 'q"uote', "back\\slash", "a\nb", "plain.test"];
    const identity = await pki.issue({ name: "x", usage: "client", dns: odd, ip: ["127.0.0.1"] });
    const names = parseSubjectAltNames(new X509Certificate(identity.cert).subjectAltName);
    expect(names.filter(({ kind }) => kind === "dns").map(({ value }) => value)).to.deep.equal(odd);
    expect(isAllowed([parsePeerRule("dns:evil.test")!], new X509Certificate(identity.cert).subjectAltName)).to.equal(
      false,
    );
  });

  it("never throws on any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parsePeerRule(text);
        parseSubjectAltNames(text);
      }),
    );
  });

  it("knows a pinned key in either alphabet", async () => {
    const pki = await createTestPki();
    const [one, two] = await Promise.all(["a", "b"].map((name) => pki.issue({ name, usage: "server", dns: [name] })));
    const certificate = new X509Certificate(one!.cert);
    const pin = pinOf(certificate);
    for (const text of [`sha256/${pin.toString("base64")}`, `sha256/${pin.toString("base64url")}`]) {
      expect(isPinned([parsePin(text)!], certificate), text).to.equal(true);
      expect(isPinned([parsePin(text)!], new X509Certificate(two!.cert)), text).to.equal(false);
    }
    expect(isPinned([], certificate)).to.equal(true);
    for (const text of ["", "sha256/", "sha1/AAAA", pin.toString("base64"), `sha256/${"A".repeat(42)}`]) {
      expect(parsePin(text), text).to.equal(undefined);
    }
  });
});
