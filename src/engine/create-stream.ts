import { SealwrightError } from "../base/sealwright-error.ts";
import type { JsonGuide } from "../codec/json-events.ts";
import type { InlineWraps } from "../keys/life-cycle/inline-rewrap.ts";
import type { Limits } from "../base/limits.ts";
import type { DocumentPlan } from "../fieldmap/types.ts";
import { BorrowedKeys } from "./borrowed-keys.ts";
import { DocumentStream } from "./document-stream.ts";
import type { Exchange } from "./engine.ts";
import type { EngineContext, KeepFailed } from "./engine-context.ts";
import { LineStream } from "./line-stream.ts";
import { MarkedWork, type Documents } from "./marked-work.ts";
import { OpenValues } from "./open-values.ts";
import { ResealValues } from "./reseal-values.ts";
import { everyDocument, everywhere, RewrapValues } from "./rewrap-values.ts";
import { SealValues } from "./seal-values.ts";
import { SplicedBody, type ValueWork } from "./spliced-body.ts";
import type { StreamMark, StreamRewriter } from "./stream-rewriter.ts";

/** What becomes of the mapped values of stored documents. */
export type StreamTask = "seal" | "open" | "reseal";

export interface StreamShape {
  /** `lines`: each line is a JSON text; `document`: all of it is one. */
  readonly framing: "lines" | "document";
  readonly start: StreamMark;
}

/** One line, or what of a document is held until its record is known: more is held of no input, however long. */
export const longestLine = 64 * 1024 * 1024;
/** One JSON text may hold any number of documents; what bounds a request's body bounds each of them on the wire. */
const unbounded = Number.MAX_SAFE_INTEGER;
const keysPerStream = 10_000;

/**
 * A rewriter for stored documents, `exchange` being that of a stored route. Where `context.keepFailed` is given, what it keeps of a
 * line that cannot be read at all is the line. The rewriter throws what opening and sealing a body throw, with the line where
 * there are lines; `body_too_large` for a line beyond the bound.
 */
export function createStream(
  task: StreamTask,
  exchange: Exchange,
  context: EngineContext,
  shape: StreamShape,
): StreamRewriter {
  const plan = planOf(task, exchange);
  const limits = streamLimits(context.limits, shape.framing);
  return framed({
    guide: plan.guide,
    documents: plan,
    limits,
    shape,
    keepFailed: context.keepFailed,
    work: (keepFailed) => workOf(task, plan, exchange, { ...context, limits, keepFailed }),
  });
}

/**
 * A rewriter that renews the key part of inline values wherever they stand in JSON texts; no field map is needed. Throws as the
 * other streams do, and what `wraps` throws.
 */
export function createRewrapStream(
  wraps: InlineWraps,
  context: Pick<EngineContext, "limits" | "keepFailed">,
  shape: StreamShape,
): StreamRewriter {
  const limits = { ...streamLimits(context.limits, shape.framing), valueBytes: context.limits.stringBytes };
  return framed({
    guide: everywhere,
    documents: everyDocument,
    limits: { ...limits, valuesPerBody: unbounded },
    shape,
    keepFailed: context.keepFailed,
    work: (keepFailed) => new RewrapValues(wraps, keepFailed),
  });
}

interface Framed {
  readonly guide: JsonGuide;
  readonly documents: Documents;
  readonly limits: Limits;
  readonly shape: StreamShape;
  readonly keepFailed: KeepFailed | undefined;
  readonly work: (keepFailed: KeepFailed | undefined) => ValueWork;
}

function framed({ guide, documents, limits, shape, keepFailed, work }: Framed): StreamRewriter {
  const { framing, start } = shape;
  if (framing === "lines")
    return new LineStream({
      start,
      body: (line) => new SplicedBody(guide, work(ofLine(line, keepFailed)), limits),
      longestLine,
      keepLine: (error) => isOfTheLine(error) && keepFailed?.(error) === true,
    });
  const marked = new MarkedWork(work(since(start, keepFailed)), documents, start);
  return new DocumentStream(new SplicedBody(guide, marked, limits), marked, start);
}

function ofLine(line: number, keepFailed: KeepFailed | undefined): KeepFailed | undefined {
  return keepFailed && ((error) => keepFailed(error.withFacts({ line })));
}

/** What failed before the mark was told by the run that came so far. */
function since({ input }: StreamMark, keepFailed: KeepFailed | undefined): KeepFailed | undefined {
  return keepFailed && ((error) => (error.facts.position ?? 0) < input || keepFailed(error));
}

function planOf(task: StreamTask, { route }: Exchange): DocumentPlan {
  const plan = task === "seal" && route.request.kind === "seal" ? route.request.plan : route.open;
  if (plan === undefined) throw new SealwrightError("internal", { reason: "no stored route", route: route.label });
  return plan;
}

function workOf(task: StreamTask, plan: DocumentPlan, exchange: Exchange, context: EngineContext): ValueWork {
  const keys = new BorrowedKeys(context.keys.snapshot(), context.limits, context.metrics);
  if (task === "seal") return new SealValues(plan, exchange, context, keys);
  return task === "open"
    ? new OpenValues(plan, exchange, context, keys)
    : new ResealValues(plan, exchange, context, keys);
}

function streamLimits(limits: Limits, framing: StreamShape["framing"]): Limits {
  const held = { ...limits, recordWindow: longestLine };
  if (framing === "lines") return { ...held, wholeBytes: longestLine };
  return {
    ...held,
    keysPerBody: unbounded,
    valuesPerBody: unbounded,
    keysPerMessage: keysPerStream,
    wholeBytes: 0,
  };
}

/** The others are of the keys or of this program: the next line would fail as this one. */
function isOfTheLine({ row, code }: SealwrightError): boolean {
  return code === "open_failed" || (row.status >= 400 && row.status < 500);
}
