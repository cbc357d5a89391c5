import { STATUS_CODES } from "node:http";
import { errorTable, type ErrorCode, type ErrorRow } from "../base/error-table.ts";
import type { HeaderList } from "./http-port.ts";

/**
 * Who is to blame: the request, or the upstream whose answer was being read. A 4xx of the table that happens on an answer is
 * no fault of the client's and becomes 502.
 */
export type Side = "request" | "answer";

/** An answer of our own: fixed bytes per code and side (RFC 9457), never data. */
export interface Refusal {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/** Seconds. Load passes sooner than a key service comes back. */
const retrySoon = "1";
const retryLater = "5";
const soon: ReadonlySet<string> = new Set(["overloaded", "draining", "tenant_limit"]);

function retryHeaders(code: ErrorCode, row: ErrorRow): string[] {
  if (!row.retryable || (row.status !== 503 && row.status !== 429)) return [];
  return ["retry-after", soon.has(code) ? retrySoon : retryLater];
}

function render(code: ErrorCode, side: Side): Refusal {
  const row: ErrorRow = errorTable[code];
  const status = side === "answer" && row.status < 500 ? 502 : row.status;
  const problem = { type: "about:blank", title: row.text, status, code, detail: row.advice };
  const body = Buffer.from(JSON.stringify(problem));
  const headers = [
    "content-type",
    "application/problem+json",
    "cache-control",
    "no-store",
    "content-length",
    String(body.length),
    ...retryHeaders(code, row),
  ];
  return Object.freeze({ status, headers: Object.freeze(headers), body });
}

const codes = Object.keys(errorTable) as ErrorCode[];
const rendered: Readonly<Record<Side, ReadonlyMap<ErrorCode, Refusal>>> = Object.freeze({
  request: new Map(codes.map((code) => [code, render(code, "request")])),
  answer: new Map(codes.map((code) => [code, render(code, "answer")])),
});

export function refusalOf(code: ErrorCode, side: Side): Refusal {
  return rendered[side].get(code) ?? render(code, side);
}

/** The same as bytes, for a connection whose parser has given up. Ends the connection. */
export function rawRefusal(code: ErrorCode): Buffer {
  const { status, headers, body } = refusalOf(code, "request");
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i] ?? ""}: ${headers[i + 1] ?? ""}`);
  lines.push("connection: close", "", "");
  return Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body]);
}

/** After these nothing more is read from the client: where its next request would begin is not known, or not wanted. */
const closing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "http_invalid",
  "header_refused",
  "headers_too_large",
  "path_refused",
  "upgrade_refused",
  "client_refused",
  "request_timeout",
  "deadline_exceeded",
  "draining",
  "internal",
]);

export const closesConnection = (code: ErrorCode): boolean => closing.has(code);
