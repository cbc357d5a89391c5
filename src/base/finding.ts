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
