import { causesOf } from "../base/error-causes.ts";
import type { LogFields } from "../base/log.ts";
import type { SealwrightError } from "../base/sealwright-error.ts";
import type { FlowParts } from "./flow-parts.ts";

/** How a request ended, for the operator: closed sets and the map's own words, nothing that came in the request. */
export interface RequestEnd {
  readonly method: string;
  /** The route's label, or `undefined` when none was found. */
  readonly route: string | undefined;
  /** Status answered, 0 for none. */
  readonly status: number;
  readonly startedMs: number;
  readonly failure: SealwrightError | undefined;
}

function failureFields(parts: FlowParts, end: RequestEnd, failure: SealwrightError): LogFields {
  return {
    ...failure.facts,
    code: failure.code,
    listener: parts.listener,
    direction: parts.direction,
    method: end.method,
    route: end.route ?? "none",
    status: end.status,
    ...(failure.cause === undefined ? {} : { causes: causesOf(failure.cause) }),
  };
}

function logFailure(parts: FlowParts, end: RequestEnd, failure: SealwrightError): void {
  const { log } = parts.ports;
  const fields = failureFields(parts, end, failure);
  if (failure.code === "client_gone") log.debug("client_gone", fields);
  else if (failure.row.status === 500) log.error("request_failed", fields);
  else log.warn("request_refused", fields);
}

/** One log line for a request that failed, none for a good one, and the measurements of either. */
export function reportEnd(parts: FlowParts, end: RequestEnd): void {
  const { metrics, clock } = parts.ports;
  const { listener } = parts;
  if (end.failure !== undefined) logFailure(parts, end, end.failure);
  const outcome = end.failure?.code ?? `${Math.trunc(end.status / 100)}xx`;
  metrics.count("sealwright_requests_total", { listener, route: end.route ?? "none", outcome });
  metrics.observe("sealwright_request_seconds", (clock.monotonicMs() - end.startedMs) / 1000, { listener });
}
