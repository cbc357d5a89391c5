import { readFileSync } from "node:fs";
import { expect } from "chai";
import { headerOf } from "../rig/http-reader.ts";
import { requestBytes } from "../rig/raw-client.ts";
import { vectorFileOrSkip } from "../rig/vectors.ts";
import { codeIn, eventually, json, ProxyRig, statusOf } from "./proxy-rig.ts";

interface RawCase {
  readonly id: string;
  readonly expect: "reject" | "normalise" | "once";
  readonly why: string;
  readonly raw_b64: string;
}

describe("request framing", () => {
  let rig: ProxyRig;

  beforeEach(async () => {
    rig = await ProxyRig.start();
  });

  afterEach(async () => {
    await eventually(() => rig.engine.open === 0);
    await rig.stop();
  });

  /** The upstream saw nothing, or a connection that broke before its message ended. */
  async function nothingComplete(): Promise<void> {
    expect(rig.upstream.requests.map(({ start }) => start)).to.deep.equal([]);
    await eventually(() => rig.upstream.connections.every(({ closed }) => closed !== undefined));
  }

  it("holds every case of the raw request set: refused, or exactly one well-formed request upstream", async function () {
    const lines = readFileSync(vectorFileOrSkip(this, "own-http-raw/cases-open.jsonl"), "utf8").trim().split("\n");
    expect(lines.length).to.be.at.least(42);
    for (const line of lines) {
      const row = JSON.parse(line) as RawCase;
      const raw = Buffer.from(row.raw_b64, "base64");
      const label = `${row.id} ${row.why}`;
      const before = rig.upstream.requests.length;
      const half = row.id === "R42" ? { after: "end" as const } : {};
      const outcome = await rig.send({
        bytes: [raw],
        methods: [raw.toString("latin1").split(" ", 1)[0] ?? ""],
        ...half,
      });
      const [answer] = outcome.answers;
      const made = rig.upstream.requests.length - before;
      if (row.expect === "reject") {
        expect(made, label).to.equal(0);
        expect(statusOf(answer), label).to.be.within(400, 431);
        expect(codeIn(answer), label).to.be.a("string");
        expect(headerOf(answer!, "connection"), label).to.equal("close");
      } else {
        expect([made, statusOf(answer)], label).to.deep.equal(
          row.id === "R36" && statusOf(answer) === 400 ? [0, 400] : [1, 200],
        );
      }
      expect(outcome.answers.length, label).to.equal(1);
    }
    for (const { reader, closed } of rig.upstream.connections) {
      expect(reader.malformed).to.equal(undefined);
      if (closed === undefined) expect(reader.midMessage).to.equal(false);
    }
    for (const request of rig.upstream.requests) {
      for (const name of ["upgrade", "http2-settings", "trailer", "te", "expect", "x-sum"]) {
        expect(headerOf(request, name), name).to.equal(undefined);
      }
      expect(headerOf(request, "connection")).to.be.oneOf(["keep-alive", "close"]);
      expect(headerOf(request, "content-length") ?? "0").to.match(/^(0|[1-9][0-9]*)$/);
    }
  });

  it("answers good, refuses bad, and never sees what stands behind it (F-43)", async () => {
    const good = requestBytes({ method: "POST", target: "/seal", headers: [json], body: '{"a":1}' });
    const third = requestBytes({ method: "POST", target: "/seal/third", headers: [json], body: '{"a":3}' });
    const bads = [
      "POST /seal HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /seal HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: 0\r\n\r\n",
      "GET http://evil.test/seal HTTP/1.1\r\nhost: a\r\n\r\n",
      "not http at all\r\n\r\n",
    ];
    for (const bad of bads) {
      const before = rig.upstream.requests.length;
      const bytes = Buffer.concat([good, Buffer.from(bad), third]);
      const outcome = await rig.send({ bytes: [bytes], methods: ["POST", "POST"], untilClose: true });
      expect(outcome.answers.map(statusOf), bad).to.deep.equal([200, 400]);
      expect(outcome.closed, bad).not.to.equal("open");
      expect(rig.upstream.requests.length - before, bad).to.equal(1);
    }
    expect(rig.upstream.bytes).not.to.contain("third");
  });

  it("resets the upstream when a streamed body breaks off, whatever broke it (R19, B-16)", async () => {
    const head = requestBytes({ method: "POST", target: "/seal", headers: [json, ["transfer-encoding", "chunked"]] });
    const big = Buffer.from(`{"a":"${"x".repeat(900_000)}`);
    const chunk = Buffer.concat([Buffer.from(`${big.length.toString(16)}\r\n`), big]);
    const endings = [
      { bytes: [Buffer.from("no chunk end")] },
      { bytes: [Buffer.from("\r\n!!! json_invalid")] },
      { bytes: [], after: "reset" as const },
      { bytes: [], after: "end" as const },
      { bytes: [Buffer.from("\r\n0\r\nContent-Length: 5\r\n\r\n")] },
    ];
    for (const { bytes, ...rest } of endings) {
      await rig.send({ bytes: [head, chunk, ...bytes], methods: ["POST"], untilClose: true, ...rest });
      await nothingComplete();
    }
    expect(rig.upstream.connections.length).to.be.at.least(endings.length - 1);
    expect(rig.upstream.bytes).not.to.contain("\r\n0\r\n\r\n");
  });

  it("refuses names that Connection must not strip (F-49)", async () => {
    for (const listed of ["Authorization", "close, Content-Type", "HOST", "x-forwarded-for", "cookie"]) {
      const answer = await rig.ask({ method: "GET", target: "/open", headers: [["connection", listed]] });
      expect(codeIn(answer), listed).to.equal("header_refused");
    }
    const tenant = await rig.ask({
      method: "GET",
      target: "/tenant",
      headers: [
        ["connection", "X-Tenant-Id"],
        ["x-tenant-id", "t1"],
      ],
    });
    expect(codeIn(tenant)).to.equal("header_refused");
    expect(rig.upstream.connections.length).to.equal(0);
  });

  it("refuses folded lines, and names that underscores make look like another", async () => {
    const raw = (line: string): string => `GET /tenant HTTP/1.1\r\nhost: a\r\nx-tenant-id: t1\r\n${line}\r\n\r\n`;
    for (const line of [
      "x-a: 1\r\n folded",
      "Content_Length: 5",
      "Transfer_Encoding: chunked",
      "X_Tenant_Id: t2",
      "X_Forwarded_For: x",
    ]) {
      const outcome = await rig.send({ bytes: [raw(line)], methods: ["GET"] });
      expect(outcome.answers.map(statusOf), line).to.deep.equal([400]);
    }
    expect(rig.upstream.connections.length).to.equal(0);
    const fine = await rig.send({ bytes: [raw("my_name: x")], methods: ["GET"] });
    expect(fine.answers.map(statusOf)).to.deep.equal([200]);
  });

  it("removes what Connection lists otherwise", async () => {
    await rig.ask({
      method: "GET",
      target: "/through",
      headers: [
        ["connection", "keep-alive, X-Odd"],
        ["x-odd", "1"],
        ["x-even", "2"],
      ],
    });
    const [request] = rig.upstream.requests;
    expect(headerOf(request!, "x-odd")).to.equal(undefined);
    expect(headerOf(request!, "x-even")).to.equal("2");
  });

  it("refuses method and path overrides (B-11)", async () => {
    const ask = (target: string, name?: string): Promise<string | undefined> =>
      rig.ask({ method: "POST", target, headers: name === undefined ? [] : [[name, "PUT"]] }).then(codeIn);
    for (const name of ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X-Original-URL"]) {
      expect(await ask("/through", name), name).to.equal("header_refused");
    }
    for (const query of ["_method=PUT", "a=1&_METHOD=PUT", "%5Fmethod=PUT", "_%6dethod=PUT"]) {
      expect(await ask(`/through?${query}`), query).to.equal("header_refused");
    }
    expect(rig.upstream.connections.length).to.equal(0);
  });

  it("answers 405 or 400 to methods that no route lists, CONNECT among them (B-14)", async () => {
    for (const method of ["PROPFIND", "QUERY", "TRACE", "CONNECT"]) {
      const answer = await rig.ask({ method, target: method === "CONNECT" ? "a:1" : "/seal", headers: [] });
      expect([statusOf(answer), codeIn(answer)], method).to.deep.equal([405, "method_not_allowed"]);
    }
    expect(rig.upstream.connections.length).to.equal(0);
  });

  it("refuses an upgrade to WebSocket (H-01)", async () => {
    const answer = await rig.ask({
      method: "GET",
      target: "/through",
      headers: [
        ["connection", "Upgrade"],
        ["upgrade", "websocket"],
      ],
    });
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([400, "upgrade_refused"]);
  });

  it("refuses too many header lines and too large heads with 431", async () => {
    const many = Array.from({ length: 200 }, (_, i) => [`x-${i}`, "1"] as const);
    expect(codeIn(await rig.ask({ method: "GET", target: "/open", headers: many }))).to.equal("headers_too_large");
    const large = [["x-large", "v".repeat(20_000)] as const];
    expect(codeIn(await rig.ask({ method: "GET", target: "/open", headers: large }))).to.equal("headers_too_large");
  });

  it("asks for a body that waits only when it is wanted (100-continue)", async () => {
    const head = (target: string, type: string): Buffer =>
      Buffer.from(
        `POST ${target} HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\ncontent-length: 7\r\nexpect: 100-continue\r\n\r\n`,
      );
    const refused = await rig.send({ bytes: [head("/seal", "text/plain")], methods: ["POST"], untilClose: true });
    expect(refused.answers.map(codeIn)).to.deep.equal(["media_type"]);
    expect(refused.closed).not.to.equal("open");
    const taken = await rig.send({ bytes: [head("/seal", "application/json"), '{"a":1}'], methods: ["POST"] });
    expect(taken.answers.map(statusOf)).to.deep.equal([200]);
    expect(rig.upstream.requests.map(({ body }) => body.toString())).to.deep.equal(['{"A":1}']);
    expect(headerOf(rig.upstream.requests[0]!, "expect")).to.equal(undefined);
  });
});
