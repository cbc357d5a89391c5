import { expect } from "chai";
import { headerOf } from "../rig/http-reader.ts";
import { requestBytes } from "../rig/raw-client.ts";
import { answerBytes } from "./plain-upstream.ts";
import { codeIn, eventually, json, ProxyRig, statusOf } from "./proxy-rig.ts";

describe("a request through a listener", () => {
  let rig: ProxyRig;

  beforeEach(async () => {
    rig = await ProxyRig.start();
  });

  afterEach(async () => {
    await eventually(() => rig.engine.open === 0);
    await rig.stop();
  });

  it("seals a body on its way and states its exact length", async () => {
    const answer = await rig.ask({ method: "POST", target: "/seal?x=%41", headers: [json], body: '{"a":"é"}' });
    expect(statusOf(answer)).to.equal(200);
    const [request] = rig.upstream.requests;
    expect(request?.start).to.equal("POST /seal?x=%41 HTTP/1.1");
    expect(request?.body.toString("latin1")).to.equal(Buffer.from('{"a":"é"}').toString("latin1").toUpperCase());
    expect(headerOf(request!, "content-length")).to.equal("10");
    expect(headerOf(request!, "host")).to.equal(`127.0.0.1:${rig.upstream.port}`);
  });

  it("opens an answer and forbids caches to keep it", async () => {
    rig.upstream.answer = (_request, { socket }) =>
      socket.write(
        answerBytes('{"A":1}', [
          "content-type: application/json",
          'etag: "1-abc"',
          "accept-ranges: bytes",
          "content-md5: x",
          "digest: x",
          "repr-digest: x",
          "cache-control: public, max-age=60",
          "vary: accept",
        ]),
      );
    const answer = await rig.ask({ method: "GET", target: "/tenant", headers: [["x-tenant-id", "t1"]] });
    expect(answer.body.toString()).to.equal('{"a":1}');
    expect(answer.headers.map(({ name, value }) => `${name}: ${value}`)).to.deep.equal([
      "content-type: application/json",
      'etag: "1-abc"',
      "cache-control: private, no-store",
      "vary: accept, X-Tenant-Id",
      "content-length: 7",
      "Connection: keep-alive",
      "Keep-Alive: timeout=60",
    ]);
  });

  it("asks identity and JSON where answers are opened, and drops ranges and digests", async () => {
    await rig.ask({
      method: "GET",
      target: "/open",
      headers: [
        ["accept-encoding", "gzip"],
        ["accept", "*/*"],
        ["range", "bytes=0-9"],
        ["if-range", '"x"'],
        ["want-digest", "sha-256"],
        ["if-none-match", '"1-abc"'],
      ],
    });
    const [request] = rig.upstream.requests;
    expect(request?.headers.map(({ name, value }) => `${name}: ${value}`)).to.deep.equal([
      `host: 127.0.0.1:${rig.upstream.port}`,
      "connection: keep-alive",
      'if-none-match: "1-abc"',
      "accept-encoding: identity",
      "accept: application/json",
    ]);
  });

  it("passes a body through a passthrough route byte for byte", async () => {
    rig.upstream.answer = (request, { socket }) =>
      socket.write(answerBytes(request.body.toString("latin1"), ["content-type: image/png", "accept-ranges: bytes"]));
    const answer = await rig.ask({
      method: "PUT",
      target: "/through/x",
      headers: [["content-type", "image/png"]],
      body: "abc",
    });
    expect(answer.body.toString()).to.equal("abc");
    expect(headerOf(answer, "accept-ranges")).to.equal("bytes");
  });

  it("uses one upstream connection for requests one after the other", async () => {
    for (let i = 0; i < 5; i++) await rig.ask({ method: "POST", target: "/both", headers: [json], body: '{"a":1}' });
    expect(rig.upstream.connections.length).to.equal(1);
    expect(rig.upstream.requests.length).to.equal(5);
  });

  it("serves requests one after the other on one client connection", async () => {
    const one = requestBytes({ method: "POST", target: "/both", headers: [json], body: '{"a":1}' });
    const outcome = await rig.send({ bytes: [Buffer.concat([one, one, one])], methods: ["POST", "POST", "POST"] });
    expect(outcome.answers.map(statusOf)).to.deep.equal([200, 200, 200]);
    expect(outcome.closed).to.equal("open");
  });

  it("answers 404 for an unmatched path and keeps the connection", async () => {
    const bytes = requestBytes({ method: "GET", target: "/elsewhere", headers: [] });
    const outcome = await rig.send({ bytes: [bytes, bytes], methods: ["GET", "GET"] });
    expect(outcome.answers.map(codeIn)).to.deep.equal(["no_route", "no_route"]);
    expect(rig.upstream.connections.length).to.equal(0);
  });

  it("streams a chunked upload of 5 MiB", async () => {
    const piece = `"${"a".repeat(65_533)}",`;
    const body = Buffer.from(`{"x":[${piece.repeat(80)}1]}`);
    const chunks: Buffer[] = [
      requestBytes({ method: "POST", target: "/seal", headers: [json, ["transfer-encoding", "chunked"]] }),
    ];
    for (let at = 0; at < body.length; at += 60_000) {
      const part = body.subarray(at, at + 60_000);
      chunks.push(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]));
    }
    chunks.push(Buffer.from("0\r\n\r\n"));
    const outcome = await rig.send({ bytes: chunks, methods: ["POST"] });
    expect(outcome.answers.map(statusOf)).to.deep.equal([200]);
    const [request] = rig.upstream.requests;
    expect(request?.body.equals(Buffer.from(body.toString().toUpperCase()))).to.equal(true);
    expect(headerOf(request!, "transfer-encoding")).to.equal("chunked");
  });

  it("streams a long answer to the client", async () => {
    const body = `{"X":"${"A".repeat(3 * 1024 * 1024)}"}`;
    rig.upstream.answer = (_request, { socket }) => socket.write(answerBytes(body));
    const answer = await rig.ask({ method: "GET", target: "/open", headers: [] });
    expect(answer.body.toString() === body.toLowerCase()).to.equal(true);
    expect(headerOf(answer, "transfer-encoding")).to.equal("chunked");
  });
});
