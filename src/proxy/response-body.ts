import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import type { Engine, Exchange } from "../engine/engine.ts";
import type { BodyStage, BodyTarget } from "./body-stage.ts";
import { CheckedBody } from "./checked-body.ts";
import { codingOf, type ContentCoding } from "./content-coding.ts";
import { DecodedBody } from "./decoded-body.ts";
import type { HeaderLines } from "./header-lines.ts";
import { isResponseJson, parseMediaType } from "./media-type.ts";
import { PacedBody } from "./paced-body.ts";
import { PlainBody } from "./plain-body.ts";

/** How an answer is treated. */
export type ResponseReading =
  /** As it comes: the route opens nothing, or the status speaks of no resource. */
  | "pass"
  /** An opened resource's answer without a body of its own. */
  | "bodiless"
  /** An opened resource's answer; a body that comes must be readable. */
  | "open";

const noBody: ReadonlySet<number> = new Set([204, 205, 304]);

/** RFC 9110 section 6.4.1: which answers have no body, whatever their headers say. */
export const isBodiless = (method: string, status: number): boolean => method === "HEAD" || noBody.has(status);

export function responseReading(opens: boolean, method: string, status: number): ResponseReading {
  if (!opens) return "pass";
  const success = status >= 200 && status < 300;
  if (isBodiless(method, status)) return success || status === 304 ? "bodiless" : "pass";
  return success ? "open" : "pass";
}

const unreadable = (reason: string): SealwrightError => new SealwrightError("response_unreadable", { reason });

/** The coding of an answer that is to be opened. Throws `response_unreadable` when it can't be. */
function openableCoding(status: number, lines: HeaderLines): ContentCoding | "identity" {
  // No range was asked for, and a slice is no document.
  if (status === 206) throw unreadable("partial content");
  const types = lines.all("content-type");
  const type = types.length === 1 ? parseMediaType(types[0] ?? "") : undefined;
  if (type === undefined || !isResponseJson(type)) throw unreadable("media type");
  const coding = codingOf(lines.all("content-encoding"));
  if (coding === undefined) throw unreadable("content encoding");
  return coding;
}

export interface ResponseBodyParts {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly target: BodyTarget;
  readonly clock: Clock;
}

/** The way of an answer's body that is opened. Throws `response_unreadable`. */
export function openedStage(
  status: number,
  lines: HeaderLines,
  exchange: Exchange,
  parts: ResponseBodyParts,
): BodyStage {
  const { engine, limits, target, clock } = parts;
  const coding = openableCoding(status, lines);
  const opened = new PacedBody(new CheckedBody(engine.openResponse(exchange), target, limits), clock);
  return coding === "identity" ? opened : new DecodedBody(coding, opened, limits.bodyBytes);
}

/** The way of an answer's body that passes. */
export const passedStage = (target: BodyTarget): BodyStage => new PlainBody(target, Number.POSITIVE_INFINITY);
