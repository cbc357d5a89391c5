import { z } from "zod";
import type { ErrorCode } from "../../base/error-table.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";

/** What is asked of Cloud KMS: the end of the path. */
export type GcpVerb = "encrypt" | "decrypt";

type KmsCode = Extract<ErrorCode, "kms_not_mine" | "kms_denied" | "kms_unavailable" | "kms_broken">;

/** google.rpc.Code by name, as far as the name says what happened. */
const codeByStatus: ReadonlyMap<string, KmsCode> = new Map<string, KmsCode>([
  ["NOT_FOUND", "kms_denied"],
  ["PERMISSION_DENIED", "kms_denied"],
  ["UNAUTHENTICATED", "kms_denied"],
  // The key or its version is disabled, destroyed or of another purpose.
  ["FAILED_PRECONDITION", "kms_denied"],
  ["ABORTED", "kms_unavailable"],
  ["CANCELLED", "kms_unavailable"],
  ["DEADLINE_EXCEEDED", "kms_unavailable"],
  ["INTERNAL", "kms_unavailable"],
  ["RESOURCE_EXHAUSTED", "kms_unavailable"],
  ["UNAVAILABLE", "kms_unavailable"],
  ["UNKNOWN", "kms_unavailable"],
  ["UNIMPLEMENTED", "kms_broken"],
]);

const rpcError = z.object({ error: z.object({ status: z.string().regex(/^[A-Z_]{1,40}$/) }) });

/** An answer that is no 200, in the port's words. Its message is not repeated. */
export function gcpRefusal(verb: GcpVerb, status: number, answer: unknown): SealwrightError {
  const parsed = rpcError.safeParse(answer);
  const name = parsed.success ? parsed.data.error.status : undefined;
  return new SealwrightError(mapped(verb, status, name), { reason: `${name ?? "unknown"} ${status}` });
}

function mapped(verb: GcpVerb, status: number, name: string | undefined): KmsCode {
  // What was sent is not acceptable: for decrypt that is the wrapped key or its context, for encrypt the configuration.
  if (name === "INVALID_ARGUMENT") return verb === "decrypt" ? "kms_not_mine" : "kms_denied";
  const named = name === undefined ? undefined : codeByStatus.get(name);
  if (named !== undefined) return named;
  // No name that is known: a page of some proxy, or a name to come.
  if (status === 401 || status === 403) return "kms_denied";
  if (status === 429 || status >= 500) return "kms_unavailable";
  return "kms_broken";
}
