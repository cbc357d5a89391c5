import type { ErrorCode } from "../base/error-table.ts";
import { asSealwrightError, SealwrightError } from "../base/sealwright-error.ts";

/** What the port for opening shows of a failure: only that the value cannot be opened, except while nobody can be asked. */
const hiddenFromOpening: readonly ErrorCode[] = ["kms_denied", "kms_not_mine", "kms_broken", "kms_limited"];

/** `error` as the opening side of the port throws it; the true reason stays in the facts for the log. */
export function openingError(error: unknown): SealwrightError {
  const known = asSealwrightError(error);
  if (!hiddenFromOpening.includes(known.code)) return known;
  return reworded(known, "open_failed");
}

/** `error` as the sealing side throws it: there a wrap of the verified keyring that no KEK knows means that access is gone. */
export function sealingError(error: unknown): SealwrightError {
  const known = asSealwrightError(error);
  return known.code === "kms_not_mine" ? reworded(known, "kms_denied") : known;
}

export function openFailed(reason: string): SealwrightError {
  return new SealwrightError("open_failed", { reason });
}

function reworded(error: SealwrightError, code: ErrorCode): SealwrightError {
  const { reason } = error.facts;
  const why = reason === undefined ? error.code : `${error.code}: ${reason}`;
  return new SealwrightError(code, { ...error.facts, reason: why }, error);
}
