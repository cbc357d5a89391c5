import { connect } from "node:net";
import { expect } from "chai";
import { headerOf } from "../rig/http-reader.ts";
import { requestBytes } from "../rig/raw-client.ts";
import { answerBytes, type PlainConnection } from "./plain-upstream.ts";
import { codeIn, eventually, ProxyRig, statusOf } from "./proxy-rig.ts";

const get = (target: string): Buffer => requestBytes({ method: "GET", target, headers: [] });

describe("load and stopping", () => {
  let rig: ProxyRig;
  let held: PlainConnection[];

  beforeEach(async () => {
    rig = await ProxyRig.start({ maxRequests: 2 });
    held = [];
    rig.upstream.answer = (_request, connection) => void held.push(connection);
  });

  afterEach(async () => {
    await rig.stop();
  });

  const release = (): void => {
    for (const { socket } of held.splice(0)) socket.write(answerBytes('{"A":1}'));
  };

  it("sheds what is too much with 503 and retry-after, and serves again after", async () => {
    const busy = [get("/open/1"), get("/open/2")].map((bytes) => rig.send({ bytes: [bytes], methods: ["GET"] }));
    await eventually(() => held.length === 2);
    const shed = await rig.ask({ method: "GET", target: "/open/3", headers: [] });
    expect([statusOf(shed), codeIn(shed), headerOf(shed, "retry-after")]).to.deep.equal([503, "overloaded", "1"]);
    release();
    for (const outcome of await Promise.all(busy)) expect(outcome.answers.map(statusOf)).to.deep.equal([200]);
    const after = rig.ask({ method: "GET", target: "/open/4", headers: [] });
    await eventually(() => held.length === 1);
    release();
    expect(statusOf(await after)).to.equal(200);
    expect(rig.listener.active).to.equal(0);
  });

  it("lets what is under way finish when it stops, and closes each connection behind it", async () => {
    const idle = connect(rig.port, "127.0.0.1");
    await eventually(() => idle.readyState === "open");
    const busy = rig.send({ bytes: [get("/open/1")], methods: ["GET"], untilClose: true });
    await eventually(() => held.length === 1);
    const drained = rig.listener.drain(5000);
    await eventually(() => idle.destroyed || idle.readableEnded);
    const late = await rig.send({ bytes: [get("/open/2")], methods: ["GET"], untilClose: true });
    expect(late.answers.length).to.equal(0);
    release();
    const outcome = await busy;
    expect(outcome.answers.map(statusOf)).to.deep.equal([200]);
    expect(headerOf(outcome.answers[0]!, "connection")).to.equal("close");
    expect(await drained).to.equal(false);
  });

  it("answers 503 to what is left at the deadline and says that it was forced", async () => {
    const busy = rig.send({ bytes: [get("/open/1")], methods: ["GET"], untilClose: true });
    await eventually(() => held.length === 1);
    expect(await rig.listener.drain(80)).to.equal(true);
    const outcome = await busy;
    expect(outcome.answers.map(codeIn)).to.deep.equal(["draining"]);
    expect(rig.listener.active).to.equal(0);
  });

  it("breaks a connection that sends more than sixty-four requests ahead", async () => {
    const outcome = await rig.send({
      bytes: [Buffer.concat(Array.from({ length: 80 }, () => get("/open")))],
      methods: Array<string>(80).fill("GET"),
      untilClose: true,
    });
    expect([outcome.answers.length, outcome.closed]).to.deep.equal([0, "reset"]);
  });
});
