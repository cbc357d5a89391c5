import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { expect } from "chai";
import { frameFlags, frameTypes, headerBlock, type HeaderPairs } from "../rig/h2-frames.ts";
import { answerBytes, PlainUpstream } from "./plain-upstream.ts";
import { H2Stage } from "./h2-stage.ts";
import { eventually } from "./proxy-rig.ts";

describe("HTTP/2 from clients", () => {
  const stage = H2Stage.use();

  interface Answer {
    readonly headers: IncomingHttpHeaders;
    readonly status: number;
    readonly body: string;
  }

  function ask(on: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stream = on.request(headers, { endStream: body === undefined });
      let seen: IncomingHttpHeaders = {};
      const chunks: Buffer[] = [];
      stream.on("response", (got) => (seen = got));
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("end", () =>
        resolve({ headers: seen, status: Number(seen[":status"]), body: Buffer.concat(chunks).toString() }),
      );
      if (body !== undefined) stream.end(body);
    });
  }

  const json = { "content-type": "application/json" };

  it("is spoken where a client offers it, beside HTTP/1.1, and tells the app who the client is", async () => {
    const answer = await ask(stage.session(), { ":path": "/open", "x-forwarded-client-cert": "mine", cookie: "a=1" });
    expect(answer.status).to.equal(200);
    expect(answer.headers["strict-transport-security"]).to.equal(undefined);
    const [request] = stage.rig.upstream.requests;
    expect(request?.start).to.equal("GET /open HTTP/1.1");
    const sent = new Map(request?.headers.map(({ name, value }) => [name.toLowerCase(), value]));
    expect(sent.get("host")).to.equal(`sidecar.test:${stage.rig.port}`);
    expect(sent.get("x-forwarded-client-cert")).to.match(/^Hash=[0-9a-f]{64};Subject="CN=front";URI=spiffe/u);
    expect(sent.get("cookie")).to.equal("a=1");
  });

  it("joins cookies, keeps repeated headers apart, and sends whole and streamed bodies on", async () => {
    const on = stage.session();
    const body = `{"a":"${"x".repeat(100_000)}"}`;
    const answer = await ask(
      on,
      { ":method": "POST", ":path": "/through", cookie: ["a=1", "b=2"], "x-two": ["1", "2"], ...json },
      body,
    );
    expect(answer.status).to.equal(200);
    const [request] = stage.rig.upstream.requests;
    expect(request?.body.toString()).to.equal(body);
    expect(request?.headers.filter(({ name }) => name === "cookie").map(({ value }) => value)).to.deep.equal([
      "a=1; b=2",
    ]);
    expect(
      request?.headers
        .filter(({ name }) => name === "x-two")
        .map(({ value }) => value)
        .join(", "),
    ).to.equal("1, 2");
  });

  it("serves many requests of one connection at once, each with its own answer", async () => {
    const on = stage.session();
    stage.rig.upstream.answer = (request, { socket }) => {
      const path = request.start.split(" ")[1] ?? "";
      setTimeout(() => socket.write(answerBytes(`"${path}"`)), Math.random() * 20);
    };
    const paths = Array.from({ length: 50 }, (_, index) => `/through?n=${index}`);
    const answers = await Promise.all(paths.map((path) => ask(on, { ":path": path })));
    expect(answers.map(({ body }) => body)).to.deep.equal(paths.map((path) => `"${path}"`));
  });

  it("answers HEAD and 204 without a body, and a long answer whole", async () => {
    const on = stage.session();
    const head = await ask(on, { ":method": "HEAD", ":path": "/through" });
    expect([head.status, head.body]).to.deep.equal([200, ""]);
    stage.rig.upstream.answer = (_request, { socket }) => socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await ask(on, { ":path": "/through" })).status).to.equal(204);
    const long = JSON.stringify("y".repeat(3_000_000));
    stage.rig.upstream.answer = (_request, { socket }) => socket.write(answerBytes(long));
    expect((await ask(on, { ":path": "/through" })).body).to.equal(long);
  });

  it("refuses by the same codes and bytes as over HTTP/1.1", async () => {
    const answer = await ask(stage.session(), { ":path": "/nowhere" });
    expect([answer.status, (JSON.parse(answer.body) as { code: string }).code]).to.deep.equal([404, "no_route"]);
    expect(stage.rig.upstream.requests).to.have.length(0);
  });

  const base: HeaderPairs = [
    [":method", "POST"],
    [":scheme", "https"],
    [":authority", "sidecar.test"],
    [":path", "/through"],
  ];

  it("G-01 lets no malformed head through", async () => {
    const bad: Readonly<Record<string, HeaderPairs>> = {
      "transfer-encoding": [...base, ["transfer-encoding", "chunked"]],
      connection: [...base, ["connection", "close"]],
      upgrade: [...base, ["upgrade", "h2c"]],
      te: [...base, ["te", "gzip"]],
      "upper case": [...base, ["X-Upper", "1"]],
      "space in path": [...base.slice(0, 3), [":path", "/a b"]],
      "CR in path": [...base.slice(0, 3), [":path", "/a\rb"]],
      "NUL in path": [...base.slice(0, 3), [":path", "/a\0b"]],
      "two paths": [...base, [":path", "/other"]],
      "no method": base.slice(1),
      "pseudo after regular": [...base.slice(0, 3), ["x-a", "1"], [":path", "/through"]],
      "unknown pseudo": [...base, [":protocol", "websocket"]],
      "empty path": [...base.slice(0, 3), [":path", ""]],
      "asterisk path": [...base.slice(0, 3), [":path", "*"]],
      "absolute path": [...base.slice(0, 3), [":path", "https://other/through"]],
    };
    for (const [label, head] of Object.entries(bad)) {
      const on = await stage.frames();
      on.headers(1, head, true);
      const end = await on.ended(1);
      if (end === "answered") {
        const [headers] = on.of(1, frameTypes.headers);
        // The status in HPACK's static table: 8 = 200; a refusal is another.
        expect(headers?.payload[0], label).not.to.equal(0x88);
      } else expect(end, label).to.be.oneOf(["reset", "closed"]);
    }
    expect(stage.rig.upstream.requests, "requests upstream").to.have.length(0);
  });

  it("G-01 lets no malformed header line through: the library takes it for not sent", async () => {
    const lines: HeaderPairs = [
      ["x-a", "1\r\nx-b: 2"],
      ["x-a\r\nx-b", "2"],
      ["x:a", "2"],
      ["x-a", "1\0"],
      ["x-a", " 2"],
    ];
    for (const line of lines) {
      const on = await stage.frames();
      on.headers(1, [...base, line], true);
      await on.ended(1);
    }
    const sent = stage.rig.upstream.requests.flatMap(({ headers }) => headers.map(({ name }) => name));
    expect(sent.filter((name) => name.startsWith("x") && name !== "x-forwarded-client-cert")).to.deep.equal([]);
  });

  it("G-02 never finishes a request whose length does not hold", async () => {
    for (const [length, body] of [
      ["5", "x".repeat(50)],
      ["5", "xx"],
      ["0", "x"],
    ] as const) {
      const on = await stage.frames();
      on.headers(1, [...base, ["content-length", length], ["content-type", "application/json"]], false);
      on.data(1, body, true);
      expect(await on.ended(1)).to.be.oneOf(["reset", "closed"]);
    }
    await new Promise((settle) => setTimeout(settle, 50));
    expect(stage.rig.upstream.requests).to.have.length(0);
  });

  it("never finishes a request that the client reset, whatever the code", async () => {
    for (const code of [0, 2, 8]) {
      const on = await stage.frames();
      on.headers(1, [...base, ["content-type", "application/json"]], false);
      on.data(1, '{"a":1}', false);
      on.reset(1, code);
      await new Promise((settle) => setTimeout(settle, 50));
    }
    expect(stage.rig.upstream.requests).to.have.length(0);
    await eventually(() => stage.rig.listener.active === 0);
  });

  it("G-03 refuses an authority and a host that differ, and takes those that agree for one", async () => {
    const on = stage.session();
    const differ = await ask(on, { ":path": "/through", ":authority": "sidecar.test", host: "other.test" });
    expect(differ.status).to.equal(400);
    const agree = await ask(on, { ":path": "/through", ":authority": "sidecar.test", host: "sidecar.test" });
    expect(agree.status).to.equal(200);
    expect(stage.rig.upstream.requests[0]?.headers.filter(({ name }) => name === "host")).to.have.length(1);
  });

  it("G-04 ends a connection that opens and resets streams without end, and leaves nothing behind", async () => {
    stage.rig.upstream.answer = () => undefined;
    const on = await stage.frames();
    for (let stream = 1; stream < 20_000 && !on.closed; stream += 2) {
      on.headers(stream, base, true);
      on.reset(stream);
      if (stream % 400 === 1) await new Promise((settle) => setImmediate(settle));
    }
    await eventually(() => on.closed || on.frames.some(({ type }) => type === frameTypes.goAway));
    await eventually(() => stage.rig.listener.active === 0);
    expect((await ask(stage.session(), { ":path": "/nowhere" })).status).to.equal(404);
  });

  it("G-05 bounds header blocks, settings and pings", async () => {
    const big = await stage.frames();
    const pairs: HeaderPairs = [
      ...base,
      ...Array.from({ length: 500 }, (_, i) => [`x-${i}`, "y".repeat(100)] as const),
    ];
    const block = headerBlock(pairs);
    big.send({ type: frameTypes.headers, flags: frameFlags.endStream, stream: 1, payload: block.subarray(0, 16_000) });
    for (let at = 16_000; at < block.length; at += 16_000) {
      const last = at + 16_000 >= block.length;
      const flags = last ? frameFlags.endHeaders : 0;
      big.send({ type: frameTypes.continuation, flags, stream: 1, payload: block.subarray(at, at + 16_000) });
    }
    expect(await big.ended(1)).to.be.oneOf(["reset", "closed", "answered"]);
    const flood = await stage.frames();
    flood.send({ type: frameTypes.headers, flags: 0, stream: 1, payload: headerBlock(base) });
    for (let each = 0; each < 20_000 && !flood.closed; each += 1) {
      flood.send({ type: frameTypes.continuation, flags: 0, stream: 1, payload: headerBlock([[`x-${each}`, "1"]]) });
      if (each % 500 === 0) await new Promise((settle) => setImmediate(settle));
    }
    await eventually(() => flood.closed || flood.frames.some(({ type }) => type === frameTypes.goAway));
    const overflow = await stage.frames();
    overflow.send({
      type: frameTypes.windowUpdate,
      flags: 0,
      stream: 0,
      payload: Buffer.from([0x7f, 0xff, 0xff, 0xff]),
    });
    await eventually(() => overflow.closed || overflow.frames.some(({ type }) => type === frameTypes.goAway));
    expect(stage.rig.upstream.requests).to.have.length(0);
    expect((await ask(stage.session(), { ":path": "/nowhere" })).status).to.equal(404);
  });

  it("breaks a stream whose upstream fails after the head, and lets the others live", async () => {
    const on = stage.session();
    stage.rig.upstream.answer = (request, { socket }) => {
      if (request.start.includes("bad")) {
        socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nshort");
        setTimeout(() => socket.destroy(), 20);
      } else socket.write(answerBytes("{}"));
    };
    const [failed] = await Promise.allSettled([ask(on, { ":path": "/through?bad" })]);
    expect(failed).to.have.nested.property("reason.code", "ERR_HTTP2_STREAM_ERROR");
    expect((await ask(on, { ":path": "/through" })).status).to.equal(200);
  });

  it("lets requests under way finish when it drains, and takes no others", async () => {
    const on = stage.session();
    stage.rig.upstream.answer = (_request, { socket }) => setTimeout(() => socket.write(answerBytes('"late"')), 150);
    const late = ask(on, { ":path": "/through" });
    await eventually(() => stage.rig.upstream.requests.length === 1);
    const drained = stage.rig.listener.drain(5000);
    expect((await late).body).to.equal('"late"');
    expect(await drained).to.equal(false);
    const after = await Promise.allSettled([ask(on, { ":path": "/through" })]);
    expect(after[0].status).to.equal("rejected");
  });

  it("passes a reader's slowness on to the upstream", async () => {
    const upstream = await PlainUpstream.start();
    await upstream.stop();
    const on = stage.session();
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024, "z");
    stage.rig.upstream.answer = (_request, { socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 200000000\r\n\r\n");
      const more = (): void => {
        while (written < 200_000_000 && socket.write(chunk)) written += chunk.length;
      };
      socket.on("drain", more);
      more();
    };
    const stream = on.request({ ":path": "/through" });
    stream.on("error", () => undefined);
    stream.on("response", () => stream.pause());
    await new Promise((settle) => setTimeout(settle, 600));
    expect(written).to.be.below(40_000_000);
    stream.destroy();
  });
});
