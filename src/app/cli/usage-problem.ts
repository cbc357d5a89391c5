import { SealwrightError } from "../../base/sealwright-error.ts";

/** A command that was called wrongly, beyond what its options' shapes can say: exit code 2. `reason` is for its caller. */
export function usageProblem(reason: string): SealwrightError {
  return new SealwrightError("usage", { reason });
}
