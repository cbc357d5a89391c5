import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** `count` loopback ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held until the last is known, else the same port could come twice.
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
