import { expect } from "chai";
import { formatListenAddress, isLoopback, parseListenAddress } from "../../src/base/listen-address.ts";

describe("listen address", () => {
  it("reads IPv4, IPv6 and Unix sockets, and writes them the same", () => {
    for (const text of ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[fd00::2]:443", "unix:/run/sealwright.sock"]) {
      const address = parseListenAddress(text);
      expect(address, text).not.to.equal(undefined);
      expect(formatListenAddress(address!)).to.equal(text);
    }
  });

  it("takes nothing else", () => {
    const wrong = [
      "",
      "8080",
      ":8080",
      "localhost:8080",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:65536",
      "127.0.0.1:080",
    ];
    const odd = ["::1:80", "[127.0.0.1]:80", "1.2.3:80", "0127.0.0.1:80", "127.0.0.1:80 ", "[::1%lo]:80", "unix:"];
    for (const text of [...wrong, ...odd]) expect(parseListenAddress(text), text).to.equal(undefined);
  });

  it("knows what only this host reaches", () => {
    for (const host of ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"])
      expect(isLoopback(host)).to.equal(true);
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "localhost", ""])
      expect(isLoopback(host)).to.equal(false);
  });
});
