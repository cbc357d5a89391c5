import type { ErrorCode } from "../../base/error-table.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { isOutOfReachCode } from "../network-code.ts";

type KmsOperation = "generate" | "unwrap" | "wrap" | "rewrap";

type KmsCode = Extract<ErrorCode, "kms_not_mine" | "kms_denied" | "kms_unavailable" | "kms_broken">;

/** Failures that AWS or its SDK names, each with what it means in the port's words. */
const codeByName: ReadonlyMap<string, KmsCode> = new Map(
  Object.entries({
    kms_not_mine: ["InvalidCiphertextException", "IncorrectKeyException", "IncorrectKeyMaterialException"],
    kms_denied: [
      "AccessDenied",
      "AccessDeniedException",
      "DisabledException",
      "ExpiredToken",
      "ExpiredTokenException",
      "IncompleteSignature",
      "InvalidArnException",
      "InvalidClientTokenId",
      "InvalidGrantTokenException",
      "InvalidKeyUsageException",
      "InvalidSignatureException",
      "KMSInvalidStateException",
      "MissingAuthenticationToken",
      "MissingAuthenticationTokenException",
      "NotAuthorized",
      "NotFoundException",
      "OptInRequired",
      "SignatureDoesNotMatch",
      "UnrecognizedClientException",
      "UnsupportedOperationException",
    ],
    kms_unavailable: [
      // Nobody was asked: the key service has said nothing about the key.
      "CredentialsProviderError",
      "AbortError",
      "BandwidthLimitExceeded",
      "DependencyTimeoutException",
      "EC2ThrottledException",
      "InternalError",
      "InternalFailure",
      "InternalServerException",
      "KMSInternalException",
      "KeyUnavailableException",
      "LimitExceededException",
      "NetworkingError",
      "PriorRequestNotComplete",
      "RequestLimitExceeded",
      "RequestThrottled",
      "RequestThrottledException",
      "RequestTimeout",
      "RequestTimeoutException",
      "ServiceUnavailable",
      "ServiceUnavailableException",
      "SlowDown",
      "Throttling",
      "ThrottledException",
      "ThrottlingException",
      "TimeoutError",
      "TooManyRequestsException",
    ],
  } satisfies Partial<Record<KmsCode, readonly string[]>>).flatMap(([code, names]) =>
    names.map((name) => [name, code as KmsCode] as const),
  ),
);

/**
 * Refusals that the time of day alone can cause. AccessDeniedException is not one, whatever the SDK thinks: it marks every
 * refusal as corrected while the clock is off, and a revoked key would pass for a service out of reach.
 */
const timeOfDay: ReadonlySet<string> = new Set([
  "AuthFailure",
  "InvalidSignatureException",
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);

/** The SDK's error in the port's words, with the SDK's as its cause. */
export function awsError(error: unknown, operation: KmsOperation): SealwrightError {
  if (error instanceof SealwrightError) return error;
  const { name, code, status, skewed } = read(error);
  if (skewed && timeOfDay.has(name))
    return new SealwrightError("kms_unavailable", { reason: "clock skew, corrected" }, error);
  return new SealwrightError(mapped({ name, code, status, operation }), { reason: reasonOf(name, status) }, error);
}

function mapped(failure: Omit<Failure, "skewed"> & { readonly operation: KmsOperation }): KmsCode {
  const { name, code, status, operation } = failure;
  // What the caller sent is not acceptable: for an unwrap that is the wrapped key, else it is the configuration.
  const readsWrapped = operation === "unwrap" || operation === "rewrap";
  if (name === "ValidationException") return readsWrapped ? "kms_not_mine" : "kms_denied";
  const named = codeByName.get(name);
  if (named === "kms_not_mine" && !readsWrapped) return "kms_broken";
  if (named !== undefined) return named;
  // Before the status: a connection that breaks in the middle of an answer has one, and half an answer is none.
  if (isOutOfReachCode(code)) return "kms_unavailable";
  if (status === undefined) return "kms_broken";
  // No name that is known: an XML or HTML page (a proxy, a denial before KMS reads the request), or a new exception.
  if (status === 401 || status === 403) return "kms_denied";
  if (status === 429 || status >= 500) return "kms_unavailable";
  return "kms_broken";
}

interface Failure {
  readonly name: string;
  readonly code: string | undefined;
  readonly status: number | undefined;
  /** The SDK has met a refusal for the time of day and has set its clock right for the next attempt. */
  readonly skewed: boolean;
}

function read(error: unknown): Failure {
  const status =
    member(member(error, "$response"), "statusCode") ?? member(member(error, "$metadata"), "httpStatusCode");
  const code = member(error, "code") ?? member(member(error, "cause"), "code");
  return {
    name: error instanceof Error ? error.name : "",
    code: typeof code === "string" ? code : undefined,
    status: typeof status === "number" ? status : undefined,
    skewed: member(member(error, "$metadata"), "clockSkewCorrected") === true,
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** Names are AWS's own words; anything else that stands there is not repeated. */
function reasonOf(name: string, status: number | undefined): string {
  const word = /^[A-Za-z]{1,64}$/.test(name) ? name : "unknown";
  return status === undefined ? word : `${word} ${status}`;
}
