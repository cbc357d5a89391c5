import type { Clock } from "../../base/clock.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { vaultRefusal, type VaultVerb } from "./vault-error.ts";
import type { VaultAnswer, VaultHttp, VaultQuestion } from "./vault-http.ts";
import type { VaultTokens } from "./vault-tokens.ts";

/** However long the service asks to be left alone, it is asked again after this. */
const longestPauseMs = 60_000;

/** The place of one key in a service. */
export interface VaultKeyPlace {
  readonly mount: string;
  readonly key: string;
}

/** Transit by its HTTP interface: one key. */
export class VaultClient {
  readonly #http: VaultHttp;
  readonly #tokens: VaultTokens;
  readonly #place: VaultKeyPlace;
  readonly #clock: Clock;
  #busyUntil = Number.NEGATIVE_INFINITY;

  constructor(
    http: VaultHttp,
    tokens: VaultTokens,
    settings: { readonly place: VaultKeyPlace; readonly clock: Clock },
  ) {
    this.#http = http;
    this.#tokens = tokens;
    this.#place = settings.place;
    this.#clock = settings.clock;
  }

  /** The answer to `message`. Throws in the port's words. */
  async ask(verb: VaultVerb, message: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { mount, key } = this.#place;
    const { status, body } = await this.#admitted((token) =>
      this.#http.ask({ method: "POST", path: `${mount}/${verb}/${key}`, token, message }),
    );
    if (status !== 200) throw vaultRefusal(verb, status, body);
    return body;
  }

  /** What may be read of the key itself. Not all who use it may. */
  describe(): Promise<VaultAnswer> {
    const { mount, key } = this.#place;
    return this.look({ method: "GET", path: `${mount}/keys/${key}` });
  }

  /** Any other question, with the token. */
  look(question: Omit<VaultQuestion, "token">): Promise<VaultAnswer> {
    return this.#admitted((token) => this.#http.ask({ ...question, token }));
  }

  async close(): Promise<void> {
    await this.#tokens.close();
    await this.#http.close();
  }

  async #admitted(ask: (token: string) => Promise<VaultAnswer>): Promise<VaultAnswer> {
    if (this.#clock.monotonicMs() < this.#busyUntil)
      throw new SealwrightError("kms_unavailable", { reason: "asked to wait" });
    const token = await this.#tokens.current();
    const answer = await ask(token);
    const last = answer.status === 403 ? await this.#askedAgain(ask, token, answer) : answer;
    if (last.status === 429 || last.status === 503)
      this.#busyUntil = this.#clock.monotonicMs() + Math.min(longestPauseMs, last.retryAfterMs);
    return last;
  }

  /** A token that ended or was revoked is refused in the same words as a caller who may not: another token tells them apart. */
  async #askedAgain(
    ask: (token: string) => Promise<VaultAnswer>,
    refused: string,
    refusal: VaultAnswer,
  ): Promise<VaultAnswer> {
    const token = await this.#tokens.after(refused);
    if (token === undefined) return refusal;
    const answer = await ask(token);
    if (answer.status === 403) this.#tokens.refusedToo();
    return answer;
  }
}
