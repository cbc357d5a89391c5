import type { ErrorCode } from "../../src/base/error-table.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";

/** The code that `task` fails with; `undefined` when it does not fail. Anything but a SealwrightError is thrown on. */
export function codeOf(task: () => unknown): ErrorCode | undefined {
  try {
    task();
  } catch (error) {
    if (error instanceof SealwrightError) return error.code;
    throw error;
  }
  return undefined;
}
