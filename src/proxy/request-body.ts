import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import type { Engine, Exchange } from "../engine/engine.ts";
import type { BodyStage, BodyTarget } from "./body-stage.ts";
import { CheckedBody } from "./checked-body.ts";
import { codingOf, type ContentCoding } from "./content-coding.ts";
import { DecodedBody } from "./decoded-body.ts";
import type { HeaderLines } from "./header-lines.ts";
import { isMergePatch, isRequestJson, parseMediaType } from "./media-type.ts";
import { PacedBody } from "./paced-body.ts";
import { PlainBody, ShortBody } from "./plain-body.ts";
import type { CheckedHead } from "./request-head.ts";
import type { MatchedRoute } from "./request-match.ts";

/** A body that is not sealed goes out in one piece up to this length. */
const shortBody = 64 * 1024;

/** Methods whose requests bring no document by their nature (RFC 9110 section 9.3): without a body no field is missing. */
const withoutDocument: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

/** A request without a body lacks the document that its route seals. */
export const lacksDocument = ({ route }: MatchedRoute, method: string): boolean =>
  route.request.kind === "seal" && !withoutDocument.has(method);

/** How a request's body will be read, known before its first byte is asked for. */
export type RequestReading =
  | { readonly kind: "plain" }
  | { readonly kind: "json"; readonly coding: ContentCoding | "identity"; readonly mergePatch: boolean };

/**
 * Decides from the head how a non-empty body is read. Fails closed: what is not known to be readable is refused.
 * Throws `no_request_rule`, `media_type`, `content_encoding`.
 */
export function requestReading(matched: MatchedRoute, lines: HeaderLines): RequestReading {
  const { route } = matched;
  if (route.request.kind === "none") {
    if (route.passthrough) return { kind: "plain" };
    throw new SealwrightError("no_request_rule", { route: route.label });
  }
  const type = parseMediaType(lines.first("content-type") ?? "");
  if (type === undefined || !isRequestJson(type)) throw new SealwrightError("media_type", { route: route.label });
  const coding = codingOf(lines.all("content-encoding"));
  if (coding === undefined) throw new SealwrightError("content_encoding", { route: route.label });
  return { kind: "json", coding, mergePatch: isMergePatch(type) };
}

/** What the stages of one request are made from. */
export interface RequestBodyParts {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly target: BodyTarget;
  readonly clock: Clock;
}

/** The way of a request's body, from the client's bytes to the upstream's. */
export function requestStage(
  reading: RequestReading,
  exchange: Exchange,
  head: CheckedHead,
  parts: RequestBodyParts,
): BodyStage {
  const { engine, limits, target, clock } = parts;
  if (reading.kind === "plain") {
    const { framing } = head;
    const short = framing.kind === "sized" && framing.length <= shortBody;
    return short ? new ShortBody(target) : new PlainBody(target, limits.bodyBytes);
  }
  const sealed = new PacedBody(new CheckedBody(engine.sealRequest(exchange), target, limits), clock);
  return reading.coding === "identity" ? sealed : new DecodedBody(reading.coding, sealed, limits.bodyBytes);
}
