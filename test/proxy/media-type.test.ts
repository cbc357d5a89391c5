import { expect } from "chai";
import fc from "fast-check";
import { needsJsonAsked } from "../../src/proxy/accept.ts";
import { codingOf } from "../../src/proxy/content-coding.ts";
import { isRequestJson, isResponseJson, parseMediaType } from "../../src/proxy/media-type.ts";

describe("media types", () => {
  it("reads parameters of either form", () => {
    const type = parseMediaType(' Text/X ; a=1;B="x\\"y;z" ; ; c=');
    expect(type).to.equal(undefined);
    const good = parseMediaType(' Text/X ; a=1;B="x\\"y;z" ; ');
    expect([good?.essence, [...(good?.parameters ?? [])]]).to.deep.equal([
      "text/x",
      [
        ["a", "1"],
        ["b", 'x"y;z'],
      ],
    ]);
  });

  it("refuses what is malformed or says a thing twice", () => {
    for (const text of [
      "",
      "json",
      "a/",
      "/b",
      "a/b/c",
      "a/b c",
      "a/b; x",
      "a/b; x=1; X=2",
      'a/b; x="',
      'a/b; x="1" y',
      "a/b, a/b",
      "a/b; =1",
      "a/b; x = 1",
      "a/b\u00a0",
      "\u00a0a/b",
      "a/b;\u00a0x=1",
      "a/b\v",
    ]) {
      expect(parseMediaType(text), text).to.equal(undefined);
    }
  });

  it("never throws, and reads no type that an allow-list would not name", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const type = parseMediaType(text);
        if (type !== undefined && isRequestJson(type)) expect(text.toLowerCase()).to.contain("json");
      }),
    );
  });

  it("takes no charset in an extended or continued spelling (RFC 8187, RFC 2231) for JSON", () => {
    for (const name of ["charset*", "charset*0", "Charset*0*"]) {
      const type = parseMediaType(`application/json; ${name}=utf-16`)!;
      expect([isRequestJson(type), isResponseJson(type)], name).to.deep.equal([false, false]);
    }
  });

  it("takes more types in answers than in requests", () => {
    const scim = parseMediaType("application/scim+json")!;
    expect([isRequestJson(scim), isResponseJson(scim)]).to.deep.equal([false, true]);
    const patch = parseMediaType("application/json-patch+json")!;
    expect([isRequestJson(patch), isResponseJson(patch)]).to.deep.equal([false, false]);
  });

  it("asks for JSON where Accept is absent or admits it by a wildcard only", () => {
    const asked: readonly (readonly [readonly string[], boolean])[] = [
      [[], true],
      [["*/*"], true],
      [["text/html, application/*;q=0.5"], true],
      [["application/json;q=0, */*"], true],
      [["application/json"], false],
      [["text/html", "application/hal+json;q=0.1, */*"], false],
      [["text/html"], false],
      [["*/*;q=0"], false],
    ];
    for (const [accept, expected] of asked) expect(needsJsonAsked(accept), accept.join(" | ")).to.equal(expected);
  });

  it("knows no coding by a name with other space around it than a header's own", () => {
    expect(codingOf(["gzip\u00a0"])).to.equal(undefined);
    expect(codingOf([" gzip\t"])).to.equal("gzip");
  });

  it("knows one content coding, and no chain", () => {
    const codings: readonly (readonly [readonly string[], string | undefined])[] = [
      [[], "identity"],
      [[""], "identity"],
      [["identity"], "identity"],
      [["GZip"], "gzip"],
      [["x-gzip"], "gzip"],
      [["identity, br"], "br"],
      [["gzip", "br"], undefined],
      [["gzip, gzip"], undefined],
      [["compress"], undefined],
      [["__proto__"], undefined],
      [["constructor"], undefined],
    ];
    for (const [given, expected] of codings) expect(codingOf(given), given.join(" | ")).to.equal(expected);
  });
});
