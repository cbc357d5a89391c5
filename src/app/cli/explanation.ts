import { asSealwrightError, SealwrightError } from "../../base/sealwright-error.ts";
import { locateValues } from "../../fieldmap/locate-values.ts";
import type { DocumentPlan, Field, RecordRule, Route } from "../../fieldmap/types.ts";
import type { SidecarConfig } from "../config/sidecar-config.ts";
import type { CommandCall } from "./command.ts";
import { rewriteBody, sampleExchange, type SampleExchange } from "./sample-exchange.ts";
import { sampleKeys, type SampleKeys } from "./sample-keys.ts";

export interface ExplainedValue {
  /** Where it stands in the sample. */
  readonly location: string;
  readonly field: string;
  readonly mode: string;
  readonly optional: boolean;
}

/** What the sidecar would do with a sample request or answer. */
export interface Explanation {
  readonly listener: string;
  readonly route: string;
  readonly dataset: string;
  readonly tenant: string | undefined;
  /** What the route does with bodies of this direction. */
  readonly does: "seals" | "opens" | "passes JSON without mapped names" | "passes everything" | "refuses bodies";
  readonly record: string;
  readonly fields: readonly string[];
  /** What wraps new data keys; absent where the sidecar has no keys. */
  readonly key: string | undefined;
  /** Absent without a sample. */
  readonly values?: readonly ExplainedValue[];
  readonly recordsBound?: readonly string[];
  /** Data keys that the sealed values of an answer name. */
  readonly keysNamed?: readonly string[];
  /** The body as it would leave; values that answers hold sealed are shown as `<opened: field>`. */
  readonly body?: string;
  readonly refusal?: { readonly code: string; readonly text: string; readonly reason: string | undefined };
}

function doesOf({ passthrough, request, open }: Route, answer: boolean): Explanation["does"] {
  if (passthrough) return "passes everything";
  if (answer) return open === undefined ? "passes everything" : "opens";
  if (request.kind === "seal") return "seals";
  return request.kind === "pass" ? "passes JSON without mapped names" : "refuses bodies";
}

function planOf({ request, open }: Route, answer: boolean): DocumentPlan | undefined {
  if (answer) return open;
  return request.kind === "seal" ? request.plan : undefined;
}

function recordWords(record: RecordRule | undefined): string {
  if (record === undefined || record.sources.length === 0) return "none: values are bound to no record";
  const sources = record.sources.map((source) =>
    source.kind === "path" ? `{${source.capture}} of the path` : source.path,
  );
  return `${sources.join(", else ")}; absent: ${record.whenAbsent}`;
}

/** `undefined` when the sample is no JSON: the engine says so better. */
function parsed(sample: Buffer): unknown {
  try {
    return JSON.parse(sample.toString("utf8"));
  } catch {
    return undefined;
  }
}

function valuesOf(plan: DocumentPlan | undefined, fields: readonly Field[], sample: Buffer): readonly ExplainedValue[] {
  const body = parsed(sample);
  if (plan === undefined || body === undefined) return [];
  return locateValues(plan, body).flatMap(({ kind, location, index }) => {
    const field = fields[index];
    if (kind !== "field" || field === undefined) return [];
    return [{ location, field: field.name, mode: field.mode, optional: field.optional }];
  });
}

interface Sample {
  readonly sample: SampleExchange;
  readonly answer: boolean;
  readonly body: Buffer;
}

async function treated({ sample: { engine, exchange }, answer, body }: Sample): Promise<Buffer> {
  const does = doesOf(exchange.route, answer);
  if (does === "refuses bodies") throw new SealwrightError("no_request_rule", { route: exchange.route.label });
  if (does === "passes everything") return body;
  return rewriteBody(answer ? engine.openResponse(exchange) : engine.sealRequest(exchange), body);
}

async function explainBody(sample: Sample, { seen }: SampleKeys): Promise<Partial<Explanation>> {
  const { route } = sample.sample.exchange;
  try {
    const values = valuesOf(planOf(route, sample.answer), route.dataset.fields, sample.body);
    const body = (await treated(sample)).toString("utf8");
    const recordsBound = [...new Set(seen.flatMap(({ record }) => record ?? []))];
    const keysNamed = [...new Set(seen.flatMap(({ keyId }) => keyId ?? []))];
    return { values, recordsBound, keysNamed, body };
  } catch (error) {
    const { code, message, facts } = asSealwrightError(error);
    const place = facts.position === undefined ? [] : [`at byte ${facts.position}`];
    const reason = [facts.reason, facts.field === undefined ? undefined : `field ${facts.field}`, ...place]
      .filter((part) => part !== undefined)
      .join(", ");
    return { refusal: { code, text: message, reason: reason === "" ? undefined : reason } };
  }
}

/** Explains the request that the call names, and its body where there is one. Throws `usage` and what the route table refuses. */
export async function explain(
  config: SidecarConfig,
  call: CommandCall,
  body: Buffer | undefined,
): Promise<Explanation> {
  const answer = call.flag("answer");
  const keys = sampleKeys();
  try {
    const sample = sampleExchange(config, keys.keys, call);
    const { route, tenant } = sample.exchange;
    return {
      listener: sample.listener.name,
      route: route.label,
      dataset: route.dataset.name,
      tenant: tenant === "" ? undefined : tenant,
      does: doesOf(route, answer),
      record: recordWords(planOf(route, answer)?.record),
      fields: planOf(route, answer) === undefined ? [] : route.dataset.fields.map(({ name }) => name),
      key: config.keys === undefined ? undefined : `${config.keys.form} form, KEK ${config.keys.kek}`,
      ...(body === undefined ? {} : await explainBody({ sample, answer, body }, keys)),
    };
  } finally {
    keys.end();
  }
}
