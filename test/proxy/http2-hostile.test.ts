import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { expect } from "chai";
import { frameBytes, frameFlags, frameTypes, headerBlock, type HeaderPairs } from "../rig/h2-frames.ts";
import { answerBytes } from "./plain-upstream.ts";
import { H2Stage } from "./h2-stage.ts";
import { eventually } from "./proxy-rig.ts";

const pause = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

describe("HTTP/2 from hostile clients and upstreams", () => {
  const stage = H2Stage.use({ timeouts: { body: 300, total: 1200 } });

  function status(on: ClientHttp2Session, headers: OutgoingHttpHeaders): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const stream = on.request(headers);
      let seen = 0;
      let body = "";
      stream.on("response", (got) => (seen = Number(got[":status"])));
      stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
      stream.on("error", reject);
      stream.on("close", () => resolve({ status: seen, body }));
    });
  }

  const head = (path: string): HeaderPairs => [
    [":method", "POST"],
    [":scheme", "https"],
    [":authority", "sidecar.test"],
    [":path", path],
    ["content-type", "application/json"],
  ];

  it("leaves no request behind that was refused while its body was held back", async () => {
    stage.rig.engine.delayMs = 60;
    const on = await stage.frames();
    on.headers(1, head("/seal"), false);
    on.data(1, '{"a":"!json_invalid!"', false);
    await pause(20);
    for (let each = 0; each < 4; each += 1) on.data(1, "x".repeat(8000), false);
    await on.ended(1);
    await eventually(() => stage.rig.listener.active === 0);
  });

  it("leaves no request behind whose answer came before its body, held back", async () => {
    const on = await stage.frames();
    stage.rig.upstream.seen = ({ socket }) => {
      socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
      socket.pause();
      stage.rig.upstream.seen = () => undefined;
    };
    on.headers(1, head("/through"), false);
    for (let each = 0; each < 8; each += 1) on.data(1, "x".repeat(8000), false);
    await on.ended(1);
    on.data(1, "x".repeat(100), false);
    expect(on.body(1)).to.equal("no");
    await eventually(() => stage.rig.listener.active === 0);
  });

  it("leaves no request behind whose held-back body the client resets without an error", async () => {
    stage.rig.engine.delayMs = 700;
    const on = await stage.frames();
    on.headers(1, head("/seal"), false);
    on.data(1, '{"a":1', false);
    await pause(30);
    for (let each = 0; each < 4; each += 1) on.data(1, "x".repeat(8000), false);
    await pause(30);
    on.reset(1, 0);
    await eventually(() => stage.rig.listener.active === 0);
  });

  it("leaves no request behind whose refusal is never taken", async () => {
    const on = await stage.frames();
    // No window for any stream (SETTINGS_INITIAL_WINDOW_SIZE = 0).
    const payload = Buffer.from([0, 4, 0, 0, 0, 0]);
    on.send({ type: frameTypes.settings, flags: 0, stream: 0, payload });
    for (let stream = 1; stream < 60; stream += 2) on.headers(stream, head("/nowhere"), true);
    await eventually(() => stage.rig.listener.active === 30);
    await eventually(() => stage.rig.listener.active === 0);
  });

  it("lives through a request and a broken frame that come together", async () => {
    for (const bad of [
      { type: frameTypes.windowUpdate, flags: 0, stream: 0, payload: Buffer.from([0x7f, 0xff, 0xff, 0xff]) },
      { type: frameTypes.data, flags: 0, stream: 0, payload: Buffer.from("x") },
      { type: frameTypes.headers, flags: frameFlags.endHeaders, stream: 2, payload: Buffer.from([0xff, 0xff, 0xff]) },
      { type: frameTypes.goAway, flags: 0, stream: 0, payload: Buffer.alloc(8) },
      { type: frameTypes.goAway, flags: 0, stream: 0, payload: Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]) },
      { type: frameTypes.settings, flags: 0, stream: 0, payload: Buffer.alloc(5) },
    ]) {
      const on = await stage.frames();
      await pause(20);
      const flags = frameFlags.endHeaders;
      const good = frameBytes({ type: frameTypes.headers, flags, stream: 1, payload: headerBlock(head("/through")) });
      on.socket.write(Buffer.concat([good, frameBytes(bad)]));
      await pause(30);
      const gone = await stage.frames();
      gone.socket.write(Buffer.concat([good, frameBytes(bad)]), () => gone.socket.destroy());
      await pause(30);
    }
    await eventually(() => stage.rig.listener.active === 0);
    expect((await status(stage.session(), { ":path": "/through" })).status).to.equal(200);
  });

  it("lives through trailers that an upstream repeats", async () => {
    stage.rig.upstream.answer = (_request, { socket }) =>
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\netag: "a"\r\netag: "b"\r\n\r\n',
      );
    const answer = await status(stage.session(), { ":path": "/through" });
    expect(answer).to.deep.equal({ status: 200, body: "ok" });
  });

  it("passes headers that an upstream repeats, as over HTTP/1.1", async () => {
    stage.rig.upstream.answer = (_request, { socket }) =>
      socket.write(answerBytes("{}", ["content-type: text/plain", 'etag: "a"', 'etag: "b"', "age: 1", "age: 2"]));
    expect((await status(stage.session(), { ":path": "/through" })).status).to.equal(200);
  });

  it("serves many slow readers on one connection and still takes requests", async () => {
    const on = stage.session();
    const long = JSON.stringify("y".repeat(2_000_000));
    stage.rig.upstream.answer = (request, { socket }) =>
      socket.write(answerBytes(request.start.includes("long") ? long : "{}"));
    const streams = Array.from({ length: 60 }, () => on.request({ ":path": "/through?long" }));
    for (const stream of streams) {
      stream.on("error", () => undefined);
      stream.on("response", () => stream.pause());
    }
    await pause(250);
    expect((await status(on, { ":path": "/through" })).status).to.equal(200);
  });

  it("ends a connection that is idle, also after a request that took longer than that", async () => {
    await stage.restart({ timeouts: { idle: 150 } });
    stage.rig.upstream.answer = (_request, { socket }) => setTimeout(() => socket.write(answerBytes("{}")), 400);
    const on = stage.session();
    expect((await status(on, { ":path": "/through" })).status).to.equal(200);
    await eventually(() => on.destroyed);
  });

  it("keeps no connection of a client that never ends it", async () => {
    await stage.restart({ timeouts: { idle: 150 } });
    const below = connectTcp({ port: stage.rig.port, host: "127.0.0.1", allowHalfOpen: true });
    let gone = false;
    below.on("error", () => undefined);
    below.on("close", () => (gone = true));
    // What TLS would answer to the end of a connection goes nowhere.
    const relay = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => void below.write(chunk, () => done()),
      final: (done) => done(),
    });
    below.on("data", (chunk: Buffer) => relay.push(chunk));
    await stage.frames(relay);
    await pause(800);
    expect(gone).to.equal(false);
    // Whoever still writes to a connection that is no more is told so.
    await eventually(() => gone || (below.write("x"), false));
  });
});
