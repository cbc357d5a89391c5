import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { requestBytes } from "../rig/raw-client.ts";
import { answerBytes } from "./plain-upstream.ts";
import { codeIn, eventually, json, ProxyRig, statusOf, type RigOptions } from "./proxy-rig.ts";

const get = (target: string): Buffer => requestBytes({ method: "GET", target, headers: [] });

const chunkOf = (text: string): Buffer => Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);

const streamedHead = requestBytes({
  method: "POST",
  target: "/seal",
  headers: [json, ["transfer-encoding", "chunked"]],
});

describe("faults on either side", () => {
  let rig: ProxyRig;

  const start = async (options: RigOptions = {}): Promise<void> => {
    rig = await ProxyRig.start(options);
  };

  afterEach(async () => {
    await eventually(() => rig.engine.open === 0 && rig.listener.active === 0);
    await rig.stop();
  });

  it("passes an early answer on, stops sending, and does not use that connection again (F-45)", async () => {
    await start();
    let early = true;
    rig.upstream.seen = ({ socket }) => {
      if (early) socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nearly");
      early = false;
    };
    const body = chunkOf(`{"a":"${"x".repeat(900_000)}`);
    const outcome = await rig.send({ bytes: [streamedHead, body], methods: ["POST"], untilClose: true });
    expect(outcome.answers.map((answer) => [statusOf(answer), answer.body.toString()])).to.deep.equal([[413, "early"]]);
    expect(outcome.closed).not.to.equal("open");
    await eventually(() => rig.upstream.connections[0]?.closed !== undefined);
    expect(rig.upstream.requests.length).to.equal(0);
    await rig.ask({ method: "GET", target: "/through", headers: [] });
    expect(rig.upstream.connections.length).to.equal(2);
  });

  it("throws away what comes behind an answer and gives the next client its own (F-46)", async () => {
    await start();
    rig.upstream.answer = ({ start: line }, { socket }) =>
      socket.write(
        `${answerBytes(JSON.stringify({ A: line }))}${line.includes("first") ? answerBytes('{"A":"POISON"}') : ""}`,
      );
    await rig.ask({ method: "GET", target: "/open/first", headers: [] });
    for (const path of ["/open/second", "/open/third"]) {
      const answer = await rig.ask({ method: "GET", target: path, headers: [] });
      expect(answer.body.toString()).to.contain(path).and.not.contain("poison");
    }
    expect(rig.upstream.connections.length).to.be.at.least(2);
  });

  it("never ends an answer cleanly that the upstream cut short or broke (F-47)", async () => {
    await start();
    const cuts = [
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\n",
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ];
    for (const cut of cuts) {
      rig.upstream.answer = (_request, { socket }) => socket.end(cut);
      const outcome = await rig.send({ bytes: [get("/through")], methods: ["GET"], untilClose: true });
      expect(
        outcome.answers.filter((answer) => statusOf(answer) === 200),
        cut,
      ).to.deep.equal([]);
      const whole = await rig.send({ bytes: [get("/open")], methods: ["GET"] });
      expect(whole.answers.map(statusOf), cut).to.deep.equal([502]);
    }
  });

  it("breaks an answer without any framing for a client of HTTP/1.0 with a reset", async () => {
    await start();
    rig.upstream.answer = (_request, { socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n");
      setTimeout(() => socket.destroy(), 30);
    };
    const outcome = await rig.send({ bytes: ["GET /through HTTP/1.0\r\n\r\n"], methods: ["GET"], untilClose: true });
    expect([outcome.answers.length, outcome.closed]).to.deep.equal([0, "reset"]);
  });

  it("drops interim answers, up to sixteen (F-48)", async () => {
    await start();
    const interim = (count: number): string => "HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\n".repeat(count);
    rig.upstream.answer = (_request, { socket }) => socket.write(`${interim(16)}${answerBytes('{"A":1}')}`);
    expect(statusOf(await rig.ask({ method: "GET", target: "/open", headers: [] }))).to.equal(200);
    rig.upstream.answer = (_request, { socket }) => socket.write(`${interim(100)}${answerBytes('{"A":1}')}`);
    const answer = await rig.ask({ method: "GET", target: "/open", headers: [] });
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([502, "upstream_invalid"]);
  });

  it("answers 502 to a 101 that nobody asked for (H-03)", async () => {
    await start();
    rig.upstream.answer = (_request, { socket }) =>
      socket.write("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    const answer = await rig.ask({ method: "GET", target: "/through", headers: [] });
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([502, "upstream_invalid"]);
    await eventually(() => rig.upstream.connections[0]?.closed !== undefined);
  });

  it("answers 502 when the upstream is not there, resets, or speaks something else", async () => {
    await start({ upstream: { origin: "http://127.0.0.1:1", tls: undefined } });
    const away = await rig.ask({ method: "GET", target: "/through", headers: [] });
    expect([statusOf(away), codeIn(away)]).to.deep.equal([502, "upstream_unreachable"]);
    await rig.stop();
    await start();
    rig.upstream.answer = (_request, { socket }) => socket.resetAndDestroy();
    expect(codeIn(await rig.ask({ method: "GET", target: "/through", headers: [] }))).to.equal("upstream_invalid");
    rig.upstream.answer = (_request, { socket }) => socket.end("SSH-2.0-x\r\n");
    expect(codeIn(await rig.ask({ method: "GET", target: "/through", headers: [] }))).to.equal("upstream_invalid");
  });

  it("answers 502 to heads that are no HTTP, and lives", async () => {
    await start();
    const json200 = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for (const head of [
      "HTTP/1.1 000 X\r\n\r\n",
      "HTTP/1.1 99 X\r\n\r\n",
      "HTTP/1.1 1000 X\r\n\r\n",
      `${json200}content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{"A":1}\r\n0\r\n\r\n`,
      `${json200}content-length: 7\r\ncontent-length: 8\r\n\r\n{"A":1}`,
      `${json200}content-length: -7\r\n\r\n{"A":1}`,
      `${json200}transfer-encoding: gzip, chunked\r\n\r\n7\r\n{"A":1}\r\n0\r\n\r\n`,
      `${json200}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{"A":1}\r\n0\r\n\r\n`,
      `${json200}transfer-encoding: gzip\r\n\r\n{"A":1}`,
      `${json200}transfer-encoding: identity\r\n\r\n{"A":1}`,
      'HTTP/1.1 205 Reset\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"A":1}',
      "HTTP/1.1 205 Reset\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n",
      "HTTP/1.1 205 Reset\r\n\r\n{}",
      `${json200}x-a: 1\u0000\r\ncontent-length: 7\r\n\r\n{"A":1}`,
      `${json200}x-a: ${"x".repeat(20_000)}\r\ncontent-length: 7\r\n\r\n{"A":1}`,
      "HTTP/1.1 100 Continue\r\n\r\n",
      "\r\n\r\n{}",
    ]) {
      rig.upstream.answer = (_request, { socket }) => socket.end(head);
      for (const target of ["/open", "/through"]) {
        const answer = await rig.ask({ method: "GET", target, headers: [] });
        expect([statusOf(answer), codeIn(answer)], head).to.deep.equal([502, "upstream_invalid"]);
      }
    }
  });

  it("resets the upstream when the client leaves while waiting for its answer", async () => {
    await start();
    rig.upstream.answer = () => undefined;
    const socket = connect(rig.port, "127.0.0.1");
    socket.write(get("/open"));
    await eventually(() => rig.upstream.requests.length === 1);
    socket.destroy();
    await eventually(() => rig.upstream.connections[0]?.closed !== undefined);
  });

  it("keeps nothing of a request whose client left while a key was waited for", async () => {
    await start();
    rig.engine.delayMs = 60;
    const socket = connect(rig.port, "127.0.0.1");
    socket.write(requestBytes({ method: "POST", target: "/seal", headers: [json], body: '{"a":1}' }));
    await eventually(() => rig.engine.open === 1);
    socket.destroy();
    await eventually(() => rig.engine.open === 0);
    expect(rig.upstream.connections.length).to.equal(0);
  });

  it("answers 504 when the upstream is silent, before or in its answer", async () => {
    await start({ timeouts: { upstream: 300 } });
    rig.upstream.answer = () => undefined;
    const answer = await rig.ask({ method: "GET", target: "/open", headers: [] });
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([504, "upstream_timeout"]);
    rig.upstream.answer = (_request, { socket }) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"A"');
    expect(codeIn(await rig.ask({ method: "GET", target: "/open", headers: [] }))).to.equal("upstream_timeout");
  });

  it("answers 504 when the whole exchange takes too long", async () => {
    await start({ timeouts: { total: 200 } });
    rig.upstream.answer = () => undefined;
    const answer = await rig.ask({ method: "GET", target: "/open", headers: [] });
    expect([statusOf(answer), codeIn(answer)]).to.deep.equal([504, "deadline_exceeded"]);
  });

  it("answers 408 to a slow head and to a slow body; others are served meanwhile (I-03)", async () => {
    await start({ timeouts: { header: 200, body: 200 } });
    const slowHead = rig.send({ bytes: ["GET /open HTTP/1.1\r\nhost: a\r\n"], methods: ["GET"], untilClose: true });
    const slowBody = rig.send({ bytes: [streamedHead, chunkOf('{"a":1')], methods: ["POST"], untilClose: true });
    expect(statusOf(await rig.ask({ method: "GET", target: "/open", headers: [] }))).to.equal(200);
    for (const outcome of [await slowHead, await slowBody]) {
      expect(outcome.answers.map((answer) => [statusOf(answer), codeIn(answer)])).to.deep.equal([
        [408, "request_timeout"],
      ]);
      expect(outcome.closed).not.to.equal("open");
    }
  });

  it("holds the upstream back while the client does not read (I-04)", async () => {
    await start();
    let written = 0;
    rig.upstream.answer = (_request, { socket }) => {
      const total = 50 * 1024 * 1024;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${total}\r\n\r\n`);
      const pump = (): void => {
        while (written < total) {
          written += 65_536;
          if (!socket.write(Buffer.alloc(65_536, "x"))) {
            socket.once("drain", pump);
            return;
          }
        }
      };
      pump();
    };
    const socket = connect(rig.port, "127.0.0.1");
    socket.pause();
    socket.write(get("/through"));
    await eventually(() => written > 0);
    await new Promise((settle) => setTimeout(settle, 150));
    expect(written).to.be.lessThan(25 * 1024 * 1024);
    let read = 0;
    socket.on("data", (chunk: Buffer) => (read += chunk.length));
    socket.resume();
    await eventually(() => read > 50 * 1024 * 1024);
    socket.destroy();
  });

  it("holds the client back while the upstream does not read, and gives up on it in time", async () => {
    await start({ timeouts: { upstream: 300 } });
    rig.upstream.seen = ({ socket }) => socket.pause();
    const socket = connect(rig.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      Buffer.concat([requestBytes({ method: "PUT", target: "/through", headers: [["transfer-encoding", "chunked"]] })]),
    );
    const piece = chunkOf("x".repeat(65_536));
    let accepted = 0;
    const pump = (): void => {
      while (accepted < 50 * 1024 * 1024) {
        accepted += piece.length;
        if (!socket.write(piece)) {
          socket.once("drain", pump);
          return;
        }
      }
    };
    pump();
    await new Promise((settle) => setTimeout(settle, 200));
    expect(accepted).to.be.lessThan(25 * 1024 * 1024);
    socket.on("error", () => undefined);
    await eventually(() => rig.listener.active === 0);
    socket.destroy();
    expect(rig.log.map(({ fields }) => fields.code)).to.deep.equal(["upstream_timeout"]);
  });

  it("gives up on a client that takes nothing of its answer", async () => {
    await start({ timeouts: { body: 150 } });
    rig.upstream.answer = (_request, { socket }) =>
      socket.write(answerBytes("x".repeat(40 * 1024 * 1024), ["content-type: text/plain"]));
    const socket = connect(rig.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    socket.write(get("/through"));
    await eventually(() => rig.listener.active === 1);
    await eventually(() => rig.listener.active === 0);
    await eventually(() => rig.upstream.connections[0]?.closed !== undefined);
    socket.destroy();
  });
});
