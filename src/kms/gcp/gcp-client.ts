import { Agent } from "undici";
import { gcpRefusal, type GcpVerb } from "./gcp-error.ts";
import type { GcpTokens } from "./gcp-tokens.ts";
import { defaultPatience, type GcpKmsConfig } from "../kms-config.ts";
import { noAnswer } from "../network-code.ts";
import { readPublicFile } from "../../base/public-file.ts";
import { quietJson } from "../../base/quiet-json.ts";

/** At most this many connections to the service, kept open between calls. */
const connections = 16;
const keepAliveMs = 30_000;
/** Answers hold a key; the largest that may come. */
const longestAnswer = 256 * 1024;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Cloud KMS by its REST interface: one key. */
export class GcpClient {
  readonly #agent: Agent;
  readonly #tokens: GcpTokens;
  readonly #origin: string;
  readonly #keyName: string;

  constructor(agent: Agent, tokens: GcpTokens, config: GcpKmsConfig) {
    this.#agent = agent;
    this.#tokens = tokens;
    this.#origin = new URL(config.endpoint ?? "https://cloudkms.googleapis.com").origin;
    this.#keyName = config.keyName;
  }

  /** The answer to `message`. Throws in the port's words. */
  async ask(verb: GcpVerb, message: Buffer): Promise<unknown> {
    const token = await this.#tokens.current();
    const answer = await this.#post(verb, message, token);
    // A token may be revoked, or end on its way: a fresh one tells that from a caller that is not let in.
    const last = answer.status === 401 ? await this.#post(verb, message, await this.#tokens.after(token)) : answer;
    if (last.status !== 200) throw gcpRefusal(verb, last.status, last.body);
    return last.body;
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#tokens.close()]);
  }

  async #post(verb: GcpVerb, message: Buffer, token: string): Promise<Answer> {
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: this.#origin,
        path: `/v1/${this.#keyName}:${verb}`,
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json" },
        body: message,
      });
      return { status: statusCode, body: quietJson(await body.text()) };
    } catch (error) {
      throw noAnswer(error);
    }
  }
}

/** The HTTP side of Cloud KMS under this project's rules. Throws `file_unreadable` (ca). */
export async function gcpAgent(config: GcpKmsConfig): Promise<Agent> {
  const attemptMs = config.patience?.attemptMs ?? defaultPatience.attemptMs;
  return new Agent({
    connections,
    keepAliveTimeout: keepAliveMs,
    headersTimeout: attemptMs,
    bodyTimeout: attemptMs,
    maxResponseSize: longestAnswer,
    connect: {
      timeout: attemptMs,
      minVersion: "TLSv1.3",
      // Said in so many words, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
      rejectUnauthorized: true,
      ...(config.ca === undefined ? {} : { ca: await readPublicFile(config.ca) }),
    },
  });
}
