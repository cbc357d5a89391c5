import { once } from "node:events";
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { formatListenAddress, type ListenAddress } from "../base/listen-address.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

export interface BoundServer {
  /** With the port that was chosen where 0 was asked for. */
  readonly address: ListenAddress;
  /** Stops listening, ends idle connections and, after `graceMs`, the busy ones. */
  close(graceMs: number): Promise<void>;
}

/** A Unix socket that nobody listens on any more was left by a process that was killed. */
async function removeDeadSocket(path: string): Promise<void> {
  if (!(lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false)) return;
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch {
    unlinkSync(path);
  } finally {
    probe.destroy();
  }
}

async function listen(server: Server, address: ListenAddress): Promise<void> {
  if (address.kind === "unix") await removeDeadSocket(address.path);
  const target = address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
  const listening = once(server, "listening");
  server.listen(target);
  await listening;
  // Only the own user (and root) may speak with it.
  if (address.kind === "unix") chmodSync(address.path, 0o600);
}

function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === "unix" || bound === null || typeof bound === "string") return asked;
  return { ...asked, port: bound.port };
}

/** Binds `server`. Throws `listen_failed`, the system's code among its causes. */
export async function bindServer(server: Server, address: ListenAddress): Promise<BoundServer> {
  try {
    await listen(server, address);
  } catch (error) {
    throw new SealwrightError("listen_failed", { reason: formatListenAddress(address) }, error);
  }
  return Object.freeze({
    address: boundAddress(server, address),
    close: async (graceMs: number) => {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  });
}
