import { SealwrightError } from "../base/sealwright-error.ts";

/** Codes of Node's own network and TLS errors, and undici's of connections that ended without an answer. */
const outOfReach =
  /^(E(?!RR_)[A-Z0-9_]+|ERR_(TLS|SSL|SOCKET|HTTP)_\w+|CERT_\w+|UNABLE_TO_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|HOSTNAME_MISMATCH|UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET|CLOSED|DESTROYED|ABORTED))$/;

/** True for the code of an error that says: nobody answered, or nobody who could prove who they are. */
export function isOutOfReachCode(code: unknown): code is string {
  return typeof code === "string" && outOfReach.test(code);
}

/** What undici threw in place of an answer, in the port's words: `kms_unavailable`, or `kms_broken` where somebody else spoke. */
export function noAnswer(error: unknown): SealwrightError {
  if (error instanceof SealwrightError) return error;
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return isOutOfReachCode(code)
    ? new SealwrightError("kms_unavailable", { reason: code }, error)
    : new SealwrightError("kms_broken", { reason: "no HTTP answer" }, error);
}
