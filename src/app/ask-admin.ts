import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { formatListenAddress, type ListenAddress } from "../base/listen-address.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

export interface AdminQuestion {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
}

export interface AdminReply {
  readonly status: number;
  readonly body: string;
}

const answerMs = 10_000;
const longestBody = 4 * 1024 * 1024;

/**
 * Asks the admin listener of a sidecar that runs on this machine.
 * Throws `admin_refused` when nobody answers there, or not within ten seconds and 4 MiB.
 */
export async function askAdmin(address: ListenAddress, question: AdminQuestion): Promise<AdminReply> {
  const { method, path, token } = question;
  const where = address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  const headers = {
    host: "localhost",
    "content-length": 0,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  try {
    const signal = AbortSignal.timeout(answerMs);
    const sent = request({ ...where, method, path, headers, agent: false, signal });
    sent.end();
    const [answer] = (await once(sent, "response", { signal })) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, body: await bodyOf(answer) };
  } catch (error) {
    if (error instanceof SealwrightError) throw error;
    throw new SealwrightError("admin_refused", { reason: `no answer at ${formatListenAddress(address)}` }, error);
  }
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw new SealwrightError("admin_refused", { reason: "answer too long" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
