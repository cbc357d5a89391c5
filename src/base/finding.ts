import { asSealwrightError } from "./sealwright-error.ts";

/** What a check of the doctor found out. Every text is for people and holds no data. */
export interface Finding {
  /** What was looked at, such as `kms main: context binds`. */
  readonly check: string;
  /** `unknown` = it could not be looked at; a reason to look oneself, not a pass. */
  readonly status: "ok" | "not ok" | "unknown";
  readonly detail: string;
  /** What to do about it; absent where nothing needs doing. */
  readonly fix?: string | undefined;
}

/** A check that threw: its code and facts, and what the table advises. */
export function failedCheck(check: string, thrown: unknown): Finding {
  return { check, status: "not ok", detail: failureDetail(thrown), fix: asSealwrightError(thrown).row.advice };
}

/** Code and facts of what was thrown, on one line. */
export function failureDetail(thrown: unknown): string {
  const { code, facts } = asSealwrightError(thrown);
  return [code, facts.file, facts.reason, facts.kek].filter((part) => part !== undefined).join(": ");
}
