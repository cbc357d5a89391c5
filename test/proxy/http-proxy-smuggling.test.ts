import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { expect } from "chai";
import { createProxyServer } from "http-proxy";
import { PlainUpstream } from "./plain-upstream.ts";
import { eventually, ProxyRig, statusOf } from "./proxy-rig.ts";

/**
 * Why no request with a body goes near the `http-proxy` package (an alias of http-proxy-3; 1.18.1 and httpxy do the same):
 * it drops the framing of a chunked DELETE but not its body, which the upstream then reads as a request of its own.
 */
const hidden = "GET /admin HTTP/1.1\r\nHost: upstream.test\r\n\r\n";
const smuggling = [
  "DELETE /through HTTP/1.1",
  "Host: proxy.test",
  "Transfer-Encoding: chunked",
  "",
  hidden.length.toString(16),
  hidden,
  "0",
  "",
  "",
].join("\r\n");

describe("a chunked DELETE whose body is a request", () => {
  let upstream: PlainUpstream;

  before(async () => {
    upstream = await PlainUpstream.start();
  });

  after(async () => {
    await upstream.stop();
  });

  it("becomes a second request behind http-proxy (when this fails, the package has been mended: read the ban again)", async () => {
    const proxy = createProxyServer({ target: `http://127.0.0.1:${upstream.port}` });
    proxy.on("error", () => undefined);
    const front: Server = createServer((request, response) => {
      proxy.web(request, response);
    });
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    const socket = connect((front.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(smuggling);
    await eventually(() => upstream.bytes.includes("/admin"));
    await eventually(
      () => upstream.requests.length >= 2 || upstream.connections.some(({ reader }) => reader.malformed !== undefined),
    );
    expect(upstream.requests.map(({ start }) => start)).to.include("GET /admin HTTP/1.1");
    socket.destroy();
    front.closeAllConnections();
    front.close();
    proxy.close();
  });

  it("stays one request behind a listener", async () => {
    const rig = await ProxyRig.start();
    const outcome = await rig.send({ bytes: [smuggling], methods: ["DELETE"] });
    expect(outcome.answers.map(statusOf)).to.deep.equal([200]);
    expect(rig.upstream.requests.map(({ start, body }) => [start, body.toString()])).to.deep.equal([
      ["DELETE /through HTTP/1.1", hidden],
    ]);
    await rig.stop();
  });
});
