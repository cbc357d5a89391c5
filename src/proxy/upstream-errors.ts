import type { ErrorCode } from "../base/error-table.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "");

/** What OpenSSL's chain verification says; Node gives its names as codes. */
const chain =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|ERR_TLS_CERT|HOSTNAME_MISMATCH|CRL_)/;

function connectCode(error: Error): ErrorCode {
  return chain.test(codeOf(error)) ? "upstream_identity" : "upstream_unreachable";
}

function exchangeCode(error: Error): ErrorCode {
  const code = codeOf(error);
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") return "upstream_timeout";
  // In TLS 1.3 a server refuses our certificate only after we think the handshake done.
  return code.startsWith("ERR_SSL_") || code === "EPROTO" ? "upstream_unreachable" : "upstream_invalid";
}

/** The HTTP client's error as ours; `connected` = a connection had taken the request. */
export function upstreamError(error: Error, connected: boolean): SealwrightError {
  if (error instanceof SealwrightError) return error;
  return new SealwrightError(connected ? exchangeCode(error) : connectCode(error), {}, error);
}
