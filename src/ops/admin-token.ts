import { open } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { equalBytes } from "../crypto/constant-time.ts";

/** What came of a request that needs the token. */
export type TokenVerdict = "granted" | "no token file" | "unusable token file" | "wrong" | "too many";

/** A shorter token could be guessed; a longer file holds something else. Bytes. */
const shortest = 16;
const longest = 4096;
/** Requests judged a second, whoever sends them. */
const judgedASecond = 5;

/**
 * The token that gives a say over the running sidecar: the text of a file, without the white space around it. The file is read
 * for every request, so that a new token counts at once.
 */
export class AdminToken {
  readonly #file: string | undefined;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #windowStart = Number.NEGATIVE_INFINITY;
  #judged = 0;

  constructor(file: string | undefined, clock: Pick<Clock, "monotonicMs">) {
    this.#file = file;
    this.#clock = clock;
  }

  /** `authorization`: the header's value, `Bearer` and the token (RFC 6750 section 2.1). */
  async judge(authorization: string | undefined): Promise<TokenVerdict> {
    if (this.#file === undefined) return "no token file";
    if (!this.#mayJudge()) return "too many";
    const token = await readAdminToken(this.#file);
    if (token === undefined) return "unusable token file";
    const given = /^Bearer +([^ ]+)$/i.exec(authorization ?? "")?.[1] ?? "";
    return equalBytes(Buffer.from(given), token) ? "granted" : "wrong";
  }

  #mayJudge(): boolean {
    const now = this.#clock.monotonicMs();
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#judged = 0;
    }
    this.#judged += 1;
    return this.#judged <= judgedASecond;
  }
}

/** The token in `file`; `undefined` where it cannot be read, is too short or holds more than a token. */
export async function readAdminToken(file: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(file);
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(longest + 1), 0, longest + 1, 0);
      const token = buffer.toString("latin1", 0, bytesRead).trim();
      return bytesRead <= longest && token.length >= shortest && /^[!-~]+$/.test(token)
        ? Buffer.from(token)
        : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
