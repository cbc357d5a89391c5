import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parseListenAddress, type TcpAddress } from "../../src/base/listen-address.ts";
import type { DrillReport } from "../../src/keys/usage/key-drill.ts";
import { startAdminListener } from "../../src/ops/admin-listener.ts";
import { AdminToken } from "../../src/ops/admin-token.ts";
import type { BoundServer } from "../../src/ops/bind-server.ts";
import { keyPages } from "../../src/ops/key-pages.ts";
import { FakeClock } from "../rig/fake-clock.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const token = "0123456789abcdef-token";
const drill: DrillReport = { outage: false, secondsToDark: { seal: 7 }, cold: { seal: 0, open: 1 }, keys: [], more: 0 };

describe("key pages", () => {
  const folder = useScratchFolder();
  const clock = new FakeClock();
  const started: BoundServer[] = [];
  let purges: number;
  let tokenFile: string;

  beforeEach(() => {
    purges = 0;
    tokenFile = join(folder(), "token");
    writeFileSync(tokenFile, `${token}\n`);
  });
  afterEach(() => Promise.all(started.splice(0).map((bound) => bound.close(100))));

  async function start(file: string | undefined = tokenFile, served = true): Promise<TcpAddress> {
    const keys = {
      drill: () => drill,
      purge: () => {
        purges += 1;
        return Promise.resolve(3);
      },
    };
    const pages = keyPages(() => (served ? keys : undefined), new AdminToken(file, clock));
    const bound = await startAdminListener({ address: parseListenAddress("127.0.0.1:0")!, pages, ownHostOnly: true });
    started.push(bound);
    return bound.address as TcpAddress;
  }

  async function ask(address: TcpAddress, method: string, path: string, authorization?: string, body?: string) {
    const headers = authorization === undefined ? {} : { authorization };
    const sent = request({ host: address.host, port: address.port, agent: false, method, path, headers });
    sent.end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
  }
  const purge = (address: TcpAddress, authorization?: string) => ask(address, "POST", "/keys/purge", authorization);

  it("shows what would happen without the key service", async () => {
    const answer = await ask(await start(), "GET", "/keys/drill");
    expect(answer.status).to.equal(200);
    expect(JSON.parse(answer.body)).to.deep.equal(drill);
  });

  it("purges for whoever shows the token, by POST only", async () => {
    const address = await start();
    const done = await purge(address, `Bearer ${token}`);
    expect([done.status, JSON.parse(done.body)]).to.deep.equal([200, { purged: 3 }]);
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const answer = await ask(address, method, "/keys/purge", `Bearer ${token}`);
      expect([answer.status, answer.headers["allow"]], method).to.deep.equal([405, "POST"]);
    }
    expect(purges).to.equal(1);
  });

  for (const [what, authorization] of [
    ["no token", undefined],
    ["another token", `Bearer ${token.replace("0", "1")}`],
    ["its beginning", `Bearer ${token.slice(0, -1)}`],
    ["an empty token", "Bearer "],
    ["another scheme", `Basic ${token}`],
  ] as const)
    it(`refuses ${what}`, async () => {
      const answer = await purge(await start(), authorization);
      expect([answer.status, answer.headers["www-authenticate"], purges]).to.deep.equal([401, "Bearer", 0]);
    });

  it("refuses everybody without a token file, or with one that holds no token", async () => {
    const empty = join(folder(), "empty");
    for (const content of ["", "short", "two words of a token", "x".repeat(5000)]) {
      writeFileSync(empty, content);
      expect((await purge(await start(empty), `Bearer ${content}`)).status, content.slice(0, 20)).to.equal(403);
    }
    expect((await purge(await start(join(folder(), "none")), `Bearer ${token}`)).status).to.equal(403);
    const unset = await startWithoutFile();
    expect((await purge(unset, `Bearer ${token}`)).status).to.equal(403);
    expect(purges).to.equal(0);
  });

  async function startWithoutFile(): Promise<TcpAddress> {
    const pages = keyPages(
      () => ({ drill: () => drill, purge: () => Promise.resolve(0) }),
      new AdminToken(undefined, clock),
    );
    const bound = await startAdminListener({ address: parseListenAddress("127.0.0.1:0")!, pages, ownHostOnly: true });
    started.push(bound);
    return bound.address as TcpAddress;
  }

  it("takes a new token as soon as the file holds it", async () => {
    const address = await start();
    writeFileSync(tokenFile, "another-token-0123456789");
    expect((await purge(address, `Bearer ${token}`)).status).to.equal(401);
    expect((await purge(address, "bearer another-token-0123456789")).status).to.equal(200);
  });

  it("judges five requests a second and no more", async () => {
    const address = await start();
    for (let index = 0; index < 5; index += 1) expect((await purge(address, "Bearer guess")).status).to.equal(401);
    const refused = await purge(address, `Bearer ${token}`);
    expect([refused.status, refused.headers["retry-after"], purges]).to.deep.equal([429, "1", 0]);
    await clock.pass(1000);
    expect((await purge(address, `Bearer ${token}`)).status).to.equal(200);
  });

  it("reads no body", async () => {
    const answer = await ask(await start(), "POST", "/keys/purge", `Bearer ${token}`, "x".repeat(100_000));
    expect([answer.status, answer.headers["connection"]]).to.deep.equal([200, "close"]);
  });

  it("has nothing to show before there are keys", async () => {
    const address = await start(tokenFile, false);
    expect((await ask(address, "GET", "/keys/drill")).status).to.equal(503);
    expect((await purge(address, `Bearer ${token}`)).status).to.equal(503);
  });
});
