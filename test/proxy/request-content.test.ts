import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect } from "chai";
import { headerOf, type HttpMessage } from "../rig/http-reader.ts";
import { codeIn, eventually, json, ProxyRig, statusOf } from "./proxy-rig.ts";

type HeaderPair = readonly [string, string];

describe("what a request body may be", () => {
  let rig: ProxyRig;

  before(async () => {
    rig = await ProxyRig.start({ limits: { bodyBytes: 4 * 1024 * 1024 } });
  });

  after(async () => {
    await rig.stop();
  });

  afterEach(async () => {
    await eventually(() => rig.engine.open === 0);
  });

  const post = (headers: readonly HeaderPair[], body: Buffer | string, target = "/seal"): Promise<HttpMessage> =>
    rig.ask({ method: "POST", target, headers, body });

  const last = (): HttpMessage => rig.upstream.requests.at(-1)!;

  it("seals every spelling of JSON in UTF-8 (B-03)", async () => {
    for (const type of [
      "application/json; charset=utf-8",
      "Application/JSON",
      'application/json ;charset="UTF-8"',
      "application/json;",
      "application/json; profile=x",
      "application/problem+json",
      "application/vnd.api+json",
      "application/fhir+json",
      "application/merge-patch+json",
    ]) {
      expect(statusOf(await post([["content-type", type]], '{"a":1}')), type).to.equal(200);
      expect(last().body.toString(), type).to.equal('{"A":1}');
      expect(headerOf(last(), "content-type"), type).to.equal(type);
      expect(rig.engine.exchanges.at(-1)?.mergePatch, type).to.equal(type.includes("merge-patch"));
    }
  });

  it("refuses every other type, and none, without a byte upstream (B-01, B-02, B-04, B-09)", async () => {
    const before = rig.upstream.requests.length;
    for (const type of [
      undefined,
      "",
      "text/plain",
      "text/json",
      "application/json; charset=utf-16",
      "application/json; charset=iso-8859-1",
      "application/json; charset=utf-8; charset=utf-8",
      "application/json; charset=utf-8; charset=utf-16",
      "application/json, text/plain",
      "application/json x",
      "application/json; charset",
      'application/json; charset="utf-8',
      "application/json-patch+json",
      "application/scim+json",
      "application/other+json",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/x-ndjson",
    ]) {
      const answer = await post(type === undefined ? [] : [["content-type", type]], '{"a":1}');
      expect([statusOf(answer), codeIn(answer)], type).to.deep.equal([415, "media_type"]);
      const chunked: HeaderPair[] = [["transfer-encoding", "chunked"]];
      const late = await post(
        type === undefined ? chunked : [...chunked, ["content-type", type]],
        "2\r\n{}\r\n0\r\n\r\n",
      );
      expect(codeIn(late), `chunked ${type ?? "none"}`).to.equal("media_type");
    }
    expect(rig.upstream.requests.length).to.equal(before);
  });

  it("refuses two Content-Type lines (B-05)", async () => {
    const answer = await post([["content-type", "text/plain"], json], '{"a":1}');
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([400, "header_refused"]);
  });

  it("takes one content coding off and sends the body as it is (B-06, B-07)", async () => {
    const body = Buffer.from(`{"a":"${"b".repeat(30_000)}"}`);
    for (const [coding, coded] of [
      ["gzip", gzipSync(body)],
      ["x-gzip", gzipSync(body)],
      ["GZIP", gzipSync(body)],
      ["identity, gzip", gzipSync(body)],
      ["deflate", deflateSync(body)],
      ["br", brotliCompressSync(body)],
      ["zstd", zstdCompressSync(body)],
      ["identity", body],
    ] as const) {
      expect(statusOf(await post([json, ["content-encoding", coding]], coded)), coding).to.equal(200);
      expect(last().body.equals(Buffer.from(body.toString().toUpperCase())), coding).to.equal(true);
      expect(headerOf(last(), "content-length"), coding).to.equal(String(body.length));
      if (coding !== "identity") expect(headerOf(last(), "content-encoding"), coding).to.equal(undefined);
    }
  });

  it("refuses codings on top of each other, unknown, cut, corrupt or with bytes behind", async () => {
    const before = rig.upstream.requests.length;
    const body = Buffer.from('{"a":1}');
    const cases: readonly (readonly [string, Buffer])[] = [
      ["gzip, gzip", gzipSync(gzipSync(body))],
      ["br, gzip", gzipSync(brotliCompressSync(body))],
      ["foo", body],
      ["gzip", body],
      ["gzip", gzipSync(body).subarray(0, -3)],
      ["gzip", Buffer.concat([gzipSync(body), Buffer.from("xyz")])],
      ["gzip", Buffer.concat([gzipSync(body), Buffer.alloc(5)])],
      ["deflate", Buffer.concat([deflateSync(body), Buffer.from("xyz")])],
      ["deflate", deflateRawSync(body)],
      ["br", Buffer.concat([brotliCompressSync(body), Buffer.from("xyz")])],
      ["zstd", Buffer.concat([zstdCompressSync(body), Buffer.from("xyz")])],
      ["br", brotliCompressSync(body).subarray(0, -2)],
      ["zstd", zstdCompressSync(body).subarray(0, -2)],
    ];
    for (const [index, [coding, coded]] of cases.entries()) {
      const answer = await post([json, ["content-encoding", coding]], coded);
      expect([statusOf(answer), codeIn(answer)], `${index} ${coding}`).to.deep.equal([415, "content_encoding"]);
    }
    expect(rig.upstream.requests.length).to.equal(before);
  });

  it("refuses two gzip members as two documents (B-08)", async () => {
    const two = Buffer.concat([gzipSync('{"name":"x"}'), gzipSync('{"ssn":"y"}')]);
    expect(codeIn(await post([json, ["content-encoding", "gzip"]], two))).to.equal("json_invalid");
  });

  it("stops a bomb at the decoded limit (I-01)", async () => {
    const bomb = gzipSync(
      Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(16 * 1024 * 1024, "x"), Buffer.from('"}')]),
    );
    for (const [coding, coded] of [
      ["gzip", bomb],
      ["zstd", zstdCompressSync(Buffer.alloc(16 * 1024 * 1024, " "))],
      ["br", brotliCompressSync(Buffer.alloc(16 * 1024 * 1024, " "))],
    ] as const) {
      rig.engine.biggestChunk = 0;
      const answer = await post([json, ["content-encoding", coding]], coded);
      expect([statusOf(answer), codeIn(answer)], coding).to.deep.equal([413, "body_too_large"]);
      expect(rig.engine.biggestChunk, coding).to.be.at.most(256 * 1024);
    }
  });

  it("refuses a body above the limit, sized or chunked, on any route", async () => {
    const big = Buffer.alloc(5 * 1024 * 1024, "x");
    for (const target of ["/seal", "/through"]) {
      expect(codeIn(await post([json], Buffer.concat([Buffer.from("{"), big]), target)), target).to.equal(
        "body_too_large",
      );
    }
  });

  it("refuses a body on a route that has no rule for it, and passes none", async () => {
    const answer = await post([json], '{"a":1}', "/nothing");
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([415, "no_request_rule"]);
    const chunked = await post([json, ["transfer-encoding", "chunked"]], "2\r\n{}\r\n0\r\n\r\n", "/nothing");
    expect(codeIn(chunked)).to.equal("no_request_rule");
    expect(statusOf(await rig.ask({ method: "DELETE", target: "/nothing", headers: [] }))).to.equal(200);
  });

  it("passes zero bytes with any type or none, but where a field is required", async () => {
    for (const headers of [
      [],
      [["content-type", "text/plain"] as const],
      [["transfer-encoding", "chunked"] as const],
    ]) {
      const body = headers[0]?.[0] === "transfer-encoding" ? "0\r\n\r\n" : "";
      expect(statusOf(await post(headers, body))).to.equal(200);
      expect(last().body.length).to.equal(0);
      expect(codeIn(await post(headers, body, "/strict"))).to.equal("field_missing");
    }
  });

  it("asks no field of a request that brings no document by its nature", async () => {
    for (const method of ["GET", "HEAD", "DELETE", "OPTIONS"]) {
      expect(statusOf(await rig.ask({ method, target: "/strict", headers: [] })), method).to.equal(200);
    }
    for (const method of ["POST", "PUT", "PATCH"]) {
      expect(codeIn(await rig.ask({ method, target: "/strict", headers: [] })), method).to.equal("field_missing");
    }
  });

  it("keeps a DELETE's body inside the DELETE (R29)", async () => {
    const inner = "GET /admin HTTP/1.1\r\nhost: a\r\n\r\n";
    const body = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    const before = rig.upstream.requests.length;
    const answer = await rig.ask({
      method: "DELETE",
      target: "/through",
      headers: [["transfer-encoding", "chunked"]],
      body,
    });
    expect(statusOf(answer)).to.equal(200);
    expect(rig.upstream.requests.length).to.equal(before + 1);
    expect(last().body.toString()).to.equal(inner);
  });
});
