import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { headerOf, headerValues, type HttpMessage } from "../rig/http-reader.ts";
import { requestBytes } from "../rig/raw-client.ts";
import { answerBytes } from "./plain-upstream.ts";
import { codeIn, eventually, ProxyRig, statusOf } from "./proxy-rig.ts";

describe("what an answer may be", () => {
  let rig: ProxyRig;

  beforeEach(async () => {
    rig = await ProxyRig.start();
  });

  afterEach(async () => {
    await eventually(() => rig.engine.open === 0);
    await rig.stop();
  });

  const replies = (bytes: string | Buffer, close = false): void => {
    rig.upstream.answer = (_request, { socket }) => {
      socket.write(bytes);
      if (close) socket.end();
    };
  };

  const get = (target = "/open", method = "GET"): Promise<HttpMessage> => rig.ask({ method, target, headers: [] });

  it("opens every +json but patches, however it is framed", async () => {
    for (const type of ["application/json", "application/hal+json; charset=UTF-8", "application/scim+json"]) {
      replies(answerBytes('{"A":1}', [`content-type: ${type}`]));
      expect((await get()).body.toString(), type).to.equal('{"a":1}');
    }
    replies(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{"A":1}\r\n0\r\n\r\n',
    );
    const answer = await get();
    expect([answer.body.toString(), headerOf(answer, "content-length")]).to.deep.equal(['{"a":1}', "7"]);
    replies('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"A":1}', true);
    expect((await get()).body.toString()).to.equal('{"a":1}');
  });

  it("refuses a success that cannot be read with 502", async () => {
    for (const headers of [
      ["content-type: text/html"],
      [],
      ["content-type: application/json-patch+json"],
      ["content-type: application/json; charset=utf-16"],
      ["content-type: application/json", "content-type: text/html"],
      ["content-type: application/json", "content-encoding: foo"],
    ]) {
      replies(answerBytes("SECRET", headers));
      const answer = await get();
      expect([statusOf(answer), codeIn(answer)], headers.join()).to.deep.equal([502, "response_unreadable"]);
    }
    replies(
      'HTTP/1.1 206 Partial\r\ncontent-type: application/json\r\ncontent-range: bytes 0-6/9\r\ncontent-length: 7\r\n\r\n{"A":1}',
    );
    expect(codeIn(await get())).to.equal("response_unreadable");
  });

  it("decodes gzip that nobody asked for, and answers 502 when it is broken (J-08)", async () => {
    const coded = gzipSync('{"A":1}');
    const head = (length: number): string =>
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${length}\r\n\r\n`;
    replies(Buffer.concat([Buffer.from(head(coded.length)), coded]));
    const answer = await get();
    expect([answer.body.toString(), headerOf(answer, "content-encoding")]).to.deep.equal(['{"a":1}', undefined]);
    replies(Buffer.concat([Buffer.from(head(10)), coded.subarray(0, 10)]));
    expect(statusOf(await get())).to.equal(502);
  });

  it("passes other statuses unopened, header for header (J-01, J-10)", async () => {
    for (const status of [301, 400, 404, 409, 500, 503]) {
      replies(
        `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\nlocation: /x?ssn=swr1.A\r\nset-cookie: a=swr1.B\r\ncontent-length: 7\r\n\r\n{"A":1}`,
      );
      const answer = await get();
      expect([statusOf(answer), answer.body.toString()]).to.deep.equal([status, '{"A":1}']);
      expect(headerOf(answer, "location")).to.equal("/x?ssn=swr1.A");
      expect(headerOf(answer, "cache-control")).to.equal(undefined);
    }
  });

  it("passes 204, 205, 304, empty answers and HEAD", async () => {
    replies("HTTP/1.1 204 None\r\netag: x\r\n\r\n");
    expect(statusOf(await get())).to.equal(204);
    replies("HTTP/1.1 205 Reset\r\ncontent-length: 0\r\n\r\n");
    expect([statusOf(await get()), headerOf(await get(), "content-length")]).to.deep.equal([205, "0"]);
    replies('HTTP/1.1 304 Not\r\netag: "1"\r\ncontent-length: 99\r\n\r\n');
    const unchanged = await get();
    expect([statusOf(unchanged), headerOf(unchanged, "etag"), headerOf(unchanged, "content-length")]).to.deep.equal([
      304,
      '"1"',
      undefined,
    ]);
    expect(headerOf(unchanged, "cache-control")).to.equal("private, no-store");
    replies("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n");
    expect([statusOf(await get()), headerOf(await get(), "content-length")]).to.deep.equal([200, "0"]);
    replies("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\naccept-ranges: bytes\r\ncontent-length: 99\r\n\r\n");
    const head = await get("/open", "HEAD");
    expect([statusOf(head), headerOf(head, "content-length"), headerOf(head, "accept-ranges")]).to.deep.equal([
      200,
      undefined,
      undefined,
    ]);
    const passed = await get("/through", "HEAD");
    expect(headerOf(passed, "content-length")).to.equal("99");
  });

  it("answers every failure to open with the same bytes (J-03)", async () => {
    const seen = new Set<string>();
    for (const pad of ["", "x".repeat(20_000), "y".repeat(100)]) {
      replies(answerBytes(`{"A":"${pad}!open_failed!"}`, ["content-type: application/json", `x-any: ${pad.length}`]));
      const answer = await get();
      expect([statusOf(answer), codeIn(answer)]).to.deep.equal([502, "open_failed"]);
      expect(headerOf(answer, "content-type")).to.equal("application/problem+json");
      seen.add(answer.raw.toString("latin1"));
    }
    expect(seen.size).to.equal(1);
    expect(
      rig.log.filter(({ fields }) => fields.code === "open_failed" && fields.route === "patients /open").length,
    ).to.equal(3);
  });

  it("answers 502 where the upstream's body breaks a rule that would be 4xx on a request", async () => {
    replies(answerBytes('{"A":"!json_invalid!"}'));
    const answer = await get();
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([502, "json_invalid"]);
  });

  it("answers 503 with retry-after while the key service is away, and nothing is sent (B-15)", async () => {
    const answer = await rig.ask({
      method: "POST",
      target: "/seal",
      headers: [["content-type", "application/json"]],
      body: '{"a":"!kms_unavailable!"}',
    });
    expect([statusOf(answer), codeIn(answer), headerOf(answer, "retry-after")]).to.deep.equal([
      503,
      "kms_unavailable",
      "5",
    ]);
    expect(rig.upstream.connections.length).to.equal(0);
  });

  it("breaks a streamed answer that fails after its head has left", async () => {
    replies(answerBytes(`{"A":"${"B".repeat(900_000)}!open_failed!"}`));
    const outcome = await rig.send({
      bytes: [requestBytes({ method: "GET", target: "/open", headers: [] })],
      methods: ["GET"],
      untilClose: true,
    });
    expect(outcome.answers.length).to.equal(0);
    expect(outcome.unfinished.length).to.be.greaterThan(0);
    expect(outcome.unfinished.subarray(-5).toString("latin1")).not.to.equal("0\r\n\r\n");
    expect(outcome.closed).not.to.equal("open");
  });

  it("strips what belongs to one connection and passes trailers that frame nothing", async () => {
    replies(
      "HTTP/1.1 200 OK\r\nconnection: keep-alive, x-odd\r\nx-odd: 1\r\nkeep-alive: timeout=9\r\nproxy-authenticate: x\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n",
    );
    const answer = await get("/through");
    expect(answer.body.toString()).to.equal("abc");
    for (const name of ["x-odd", "proxy-authenticate", "trailer"])
      expect(headerOf(answer, name), name).to.equal(undefined);
    expect(headerValues(answer, "keep-alive")).to.deep.equal(["timeout=60"]);
    const raw = answer.raw.toString("latin1");
    expect(raw).to.contain("X-Sum: 7\r\n");
    expect(raw).not.to.contain("Set-Cookie");
    expect(raw).not.to.match(/^(server|x-powered-by|via):/im);
  });
});
