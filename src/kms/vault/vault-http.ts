import { Agent } from "undici";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { defaultPatience, type VaultKmsConfig } from "../kms-config.ts";
import { noAnswer } from "../network-code.ts";
import { quietJson } from "../../base/quiet-json.ts";
import { isSameTls, readVaultTlsFiles, type VaultTlsFiles } from "./vault-tls.ts";

/** At most this many connections to the service, kept open between calls. */
const connections = 16;
const keepAliveMs = 30_000;
/** Answers hold a key or a token; the largest that may come. */
const longestAnswer = 256 * 1024;

/** One request. */
export interface VaultQuestion {
  readonly method: "GET" | "POST";
  /** Behind `/v1/`. */
  readonly path: string;
  readonly token?: string | undefined;
  readonly message?: Readonly<Record<string, unknown>> | undefined;
}

export interface VaultAnswer {
  readonly status: number;
  /** `undefined` for what is no JSON. */
  readonly body: unknown;
  /** How long the service asks to be left alone. */
  readonly retryAfterMs: number;
}

/** The HTTP side of Vault under this project's rules. Redirects are never followed: they would take the token with them. */
export class VaultHttp {
  readonly #config: VaultKmsConfig;
  readonly #origin: string;
  readonly #attemptMs: number;
  #files: VaultTlsFiles;
  #agent: Agent;
  /** Something went wrong that other certificates on disk may mend. */
  #suspect = false;
  #closed = false;

  private constructor(config: VaultKmsConfig, files: VaultTlsFiles) {
    this.#config = config;
    this.#origin = new URL(config.address).origin;
    this.#attemptMs = config.patience?.attemptMs ?? defaultPatience.attemptMs;
    this.#files = files;
    this.#agent = this.#agentFor(files);
  }

  /** Asks nothing yet. Throws `file_unreadable`, `key_file`. */
  static async open(config: VaultKmsConfig): Promise<VaultHttp> {
    return new VaultHttp(config, await readVaultTlsFiles(config));
  }

  /** Throws `kms_unavailable` where no answer comes, `kms_broken` for one that is none. */
  async ask(question: VaultQuestion): Promise<VaultAnswer> {
    if (this.#suspect) await this.readFilesAnew();
    const message = question.message === undefined ? undefined : Buffer.from(JSON.stringify(question.message));
    const signal = AbortSignal.timeout(this.#attemptMs);
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        origin: this.#origin,
        path: `/v1/${question.path}`,
        method: question.method,
        headers: this.#headers(question),
        ...(message === undefined ? {} : { body: message }),
        signal,
      });
      return { status: statusCode, body: await jsonOf(body), retryAfterMs: retryAfterMs(headers["retry-after"]) };
    } catch (error) {
      this.#suspect = true;
      throw signal.aborted ? new SealwrightError("kms_unavailable", { reason: "no answer in time" }) : noAnswer(error);
    } finally {
      message?.fill(0);
    }
  }

  /** Takes certificates that have changed on disk, for connections from now on. Files that cannot be read change nothing. */
  async readFilesAnew(): Promise<void> {
    this.#suspect = false;
    const files = await readVaultTlsFiles(this.#config).catch(() => this.#files);
    if (this.#closed || isSameTls(files, this.#files)) return;
    const before = this.#agent;
    this.#files = files;
    this.#agent = this.#agentFor(files);
    // What is under way there may end; nobody waits for it.
    before.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#agent.destroy();
  }

  #headers({ token, message }: VaultQuestion): Record<string, string> {
    const { namespace } = this.#config;
    return {
      accept: "application/json",
      // Agents and proxies of Vault ask for it, so that no page can have a browser or a server call them.
      "x-vault-request": "true",
      ...(message === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { "x-vault-token": token }),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    };
  }

  #agentFor(files: VaultTlsFiles): Agent {
    return new Agent({
      connections,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: this.#attemptMs,
      bodyTimeout: this.#attemptMs,
      maxResponseSize: longestAnswer,
      allowH2: false,
      connect: {
        timeout: this.#attemptMs,
        minVersion: this.#config.minVersion ?? "TLSv1.3",
        // Said in so many words, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
        rejectUnauthorized: true,
        ...files,
      },
    });
  }
}

/** Zeroes the bytes once they are read. What the parser makes of them on the way is text, which is beyond reach. */
async function jsonOf(body: AsyncIterable<unknown>): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  try {
    return quietJson(whole.toString("utf8"));
  } finally {
    for (const bytes of [whole, ...chunks]) bytes.fill(0);
  }
}

/** Whole seconds; a date, which only says the same by another clock, counts as none. */
function retryAfterMs(header: string | readonly string[] | undefined): number {
  return typeof header === "string" && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : 0;
}
