/**
 * What a log line may hold: an allow-list by type, and again at run time in ops/log.ts (a member not named here is dropped).
 * No member may hold a value, a key, a header value, a query string or a tenant in clear.
 */
export interface LogFields {
  readonly code?: string;
  readonly reason?: string;
  readonly listener?: string;
  readonly direction?: string;
  readonly requestId?: string;
  readonly method?: string;
  /** Route's pattern, never the path that was asked for. */
  readonly route?: string;
  readonly status?: number;
  readonly dataset?: string;
  readonly field?: string;
  readonly position?: number;
  readonly kek?: string;
  readonly provider?: string;
  /** First 16 hex digits of a data key's id. */
  readonly keyId?: string;
  readonly generation?: number;
  readonly attempt?: number;
  readonly count?: number;
  readonly bytes?: number;
  readonly durationMs?: number;
  readonly address?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly version?: string;
  readonly signal?: string;
  /** Names of error classes from the cause chain, and system codes (ECONNREFUSED), never messages. */
  readonly causes?: string;
}

/** Port: where log lines go. `event` is a fixed snake_case name, never built from data. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const nothing = (): void => undefined;

export const silentLog: Log = Object.freeze({ debug: nothing, info: nothing, warn: nothing, error: nothing });
