import { request, type RequestOptions } from "node:https";
import { TLSSocket } from "node:tls";

import { SealwrightError } from "../../base/sealwright-error.ts";
import type { TestIdentity } from "./pki.ts";

/** A way in through the inbound listener. */
export interface FrontDoor {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
}

export interface FrontDoorAnswer {
  readonly status: number;
  readonly body: string;
  readonly protocol: string;
  readonly group: string;
  readonly cipher: string;
}

/** Asks the app through Sealwright's inbound listener, as a gateway would. Rejects with Node's error when the door stays shut. */
export function knock(
  door: FrontDoor,
  identity: TestIdentity | undefined,
  options: RequestOptions = {},
): Promise<FrontDoorAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(door.url, { ca: door.ca, ...identity, agent: false, ...options }, (incoming) => {
      const { socket } = incoming;
      const tls = socket instanceof TLSSocket ? tlsFacts(socket) : { protocol: "", group: "", cipher: "" };
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8"), ...tls });
      });
    });
    outgoing.setTimeout(10_000, () => outgoing.destroy(new SealwrightError("deadline_exceeded")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** True when the door does not open: no answer at all comes back. */
export async function staysShut(attempt: () => Promise<FrontDoorAnswer>): Promise<boolean> {
  try {
    await attempt();
    return false;
  } catch {
    return true;
  }
}

function tlsFacts(socket: TLSSocket): Pick<FrontDoorAnswer, "protocol" | "group" | "cipher"> {
  const group = socket.getEphemeralKeyInfo();
  return {
    protocol: socket.getProtocol() ?? "",
    group: group !== null && "name" in group ? String(group.name) : "",
    cipher: socket.getCipher().name,
  };
}
