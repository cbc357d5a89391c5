import { once } from "node:events";
import { createServer, type Server } from "node:net";

/**
 * Below the range that systems take for outgoing connections, so that none of those takes a port between its being found free
 * and its use.
 */
const lowest = 10_000;
const highest = 32_000;
let next = lowest + Number(process.hrtime.bigint() % BigInt(highest - lowest));

/** `count` loopback ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held until the last is known, else the same port could come twice.
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = nextPort();
    const server = await listening(port);
    if (server !== undefined) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => once(server.close(), "close")));
  return [...held.keys()];
}

/** Counts on from where this process came in, so that two processes hardly ever meet. */
function nextPort(): number {
  const port = next;
  next = next + 1 < highest ? next + 1 : lowest;
  return port;
}

/** `undefined` where somebody has the port. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}
