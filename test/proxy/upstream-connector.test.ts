import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { createTestPki, type TestPki } from "../../src/app/demo/pki.ts";
import { systemClock } from "../../src/base/clock.ts";
import { asSealwrightError } from "../../src/base/sealwright-error.ts";
import { UpstreamConnector } from "../../src/proxy/upstream-connector.ts";
import { PlainUpstream } from "./plain-upstream.ts";
import { eventually } from "./proxy-rig.ts";

describe("Trust of an upstream replaced while a connection to it is made", () => {
  let pki: TestPki;
  let other: TestPki;
  let upstream: PlainUpstream;
  let relay: Server;
  let letGo: (() => void) | undefined;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    [pki, other] = await Promise.all([createTestPki(), createTestPki("Another CA")]);
    upstream = await PlainUpstream.start(await pki.issue({ name: "store", ip: ["127.0.0.1"], usage: "server" }));
    letGo = undefined;
    // Takes a connection, and holds back what comes until it is let go.
    relay = createServer((near) => {
      sockets.push(near);
      near.on("error", () => undefined);
      letGo = () => {
        const far = connect(upstream.port, "127.0.0.1");
        far.on("error", () => undefined);
        sockets.push(far);
        near.pipe(far).pipe(near);
      };
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    relay.close();
    await upstream.stop();
  });

  const tlsOf = (ca: string) => ({ identity: undefined, trust: { ca: Buffer.from(ca) }, pins: [] });

  /** The code of what a connection fails with that is under way when the trust becomes `ca`. */
  async function connectedWhile(ca: string): Promise<string> {
    const expected = { servername: "127.0.0.1", allow: [] };
    const connector = new UpstreamConnector({
      tls: { ...tlsOf(pki.ca), expected },
      connectMs: 2000,
      clock: systemClock,
    });
    const { port } = relay.address() as AddressInfo;
    const made = new Promise<string>((resolve) => {
      const target = { hostname: "127.0.0.1", host: `127.0.0.1:${port}`, protocol: "https:", port: `${port}` };
      connector.connect(target, (error, socket) => {
        if (socket !== null) sockets.push(socket);
        resolve(error === null ? "connected" : asSealwrightError(error).code);
      });
    });
    await eventually(() => letGo !== undefined);
    connector.replaceTls(tlsOf(ca));
    letGo?.();
    return made;
  }

  it("hands over no connection that the new trust does not vouch for", async () => {
    expect(await connectedWhile(other.ca)).to.equal("upstream_identity");
  });

  it("hands over one that it vouches for", async () => {
    expect(await connectedWhile(other.ca + pki.ca)).to.equal("connected");
  });
});
