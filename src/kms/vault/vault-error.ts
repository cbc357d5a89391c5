import { z } from "zod";
import type { ErrorCode } from "../../base/error-table.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";

/** What is asked of transit: the part of the path behind the mount. */
export type VaultVerb = "datakey/plaintext" | "decrypt" | "encrypt" | "rewrap";

type KmsCode = Extract<ErrorCode, "kms_not_mine" | "kms_denied" | "kms_unavailable" | "kms_broken">;

interface Text {
  readonly pattern: RegExp;
  readonly code: KmsCode;
  /** In our words: the service's own may quote what was sent. */
  readonly reason: string;
}

/** Answers 400, which transit gives to everything from a missing key to a turned bit: only the text tells them apart. */
const texts: readonly Text[] = [
  { pattern: /encryption key not found/i, code: "kms_denied", reason: "no such key" },
  { pattern: /soft-deleted/i, code: "kms_denied", reason: "soft-deleted key" },
  { pattern: /key type .* does not support/i, code: "kms_denied", reason: "type of the key" },
  { pattern: /message authentication failed|unable to decrypt/i, code: "kms_not_mine", reason: "tag" },
  { pattern: /disallowed by policy/i, code: "kms_not_mine", reason: "key version too old" },
  { pattern: /invalid ciphertext|illegal base64|ciphertext too short/i, code: "kms_not_mine", reason: "form" },
];

const errorBody = z.object({ errors: z.array(z.string()) });

/** What the service said went wrong; `undefined` where that is not said in its form, as by a proxy's page. */
function errorsIn(body: unknown): readonly string[] | undefined {
  const parsed = errorBody.safeParse(body);
  return parsed.success ? parsed.data.errors : undefined;
}

/** An answer to transit that is no 200, in the port's words. Its texts are not repeated. */
export function vaultRefusal(verb: VaultVerb, status: number, body: unknown): SealwrightError {
  const errors = errorsIn(body);
  const text = status === 400 ? texts.find(({ pattern }) => errors?.some((one) => pattern.test(one))) : undefined;
  if (text === undefined) return statusRefusal(status, errors !== undefined);
  const readsWrapped = verb === "decrypt" || verb === "rewrap";
  const code = text.code === "kms_not_mine" && !readsWrapped ? "kms_broken" : text.code;
  return new SealwrightError(code, { reason: text.reason });
}

/** What the status alone says. `inForm`: the body is an error as the service writes it. */
export function statusRefusal(status: number, inForm: boolean): SealwrightError {
  return new SealwrightError(codeOf(status, inForm), { reason: `${status} ${meaningOf(status)}` });
}

function codeOf(status: number, inForm: boolean): KmsCode {
  if (status === 401 || status === 403) return "kms_denied";
  // No such mount or namespace. Without the form it is somebody else's 404, of which the key knows nothing.
  if (status === 404) return inForm ? "kms_denied" : "kms_broken";
  return isBusy(status) ? "kms_unavailable" : "kms_broken";
}

/**
 * 429 rate limit, 472 and 473 a standby, 307 a standby that names the active node (not followed: the token would go to whoever
 * the answer names), 412 a node that has not caught up, 503 sealed or under maintenance, any other 5xx.
 */
function isBusy(status: number): boolean {
  return [307, 412, 429, 472, 473].includes(status) || (status >= 500 && status <= 599);
}

function meaningOf(status: number): string {
  switch (status) {
    case 307:
    case 472:
    case 473:
      return "standby";
    case 401:
    case 403:
      return "permission denied";
    case 404:
      return "no such path";
    case 429:
      return "rate limit";
    case 503:
      return "sealed or unavailable";
    default:
      return "answered";
  }
}
