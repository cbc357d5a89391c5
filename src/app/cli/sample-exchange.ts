import { systemClock } from "../../base/clock.ts";
import { noMetrics } from "../../base/metrics.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { createEngine } from "../../engine/create-engine.ts";
import type { BodyRewriter, Engine, Exchange } from "../../engine/engine.ts";
import type { LiveKeys } from "../../keys/keys.ts";
import type { ListenerConfig, SidecarConfig } from "../config/sidecar-config.ts";
import type { CommandCall, CommandOption } from "./command.ts";
import { usageProblem } from "./usage-problem.ts";

/** A request that is not sent, and the engine that would treat it. */
export interface SampleExchange {
  readonly listener: ListenerConfig;
  readonly engine: Engine;
  readonly exchange: Exchange;
}

/** Options that name a request. */
export const exchangeOptions: readonly CommandOption[] = [
  { flags: "--route <request>", help: 'method and path of a request, such as "PUT /v1/patients/7"' },
  { flags: "--listener <name>", help: "listener that gets it; default the only one with field maps" },
  { flags: "--tenant <tenant>", help: "tenant that the request's header would name" },
  { flags: "--merge-patch", help: "the body is a merge patch (RFC 7396)" },
];

function listenerOf(config: SidecarConfig, name: string | undefined): ListenerConfig {
  const mapped = config.listeners.filter(({ routes }) => routes !== undefined);
  const found = name === undefined ? mapped : mapped.filter((listener) => listener.name === name);
  const [listener, another] = found;
  if (listener === undefined)
    throw usageProblem(name === undefined ? "no listener has field maps" : `no listener ${name} with field maps`);
  if (another !== undefined)
    throw usageProblem(`--listener is needed: one of ${mapped.map((each) => each.name).join(", ")}`);
  return listener;
}

/**
 * The request that `--route`, `--listener` and `--tenant` describe. Throws `usage`, what the route table refuses
 * (`no_route`, `method_not_allowed`, `path_refused`, `mapped_query`), `tenant_refused`.
 */
export function sampleExchange(config: SidecarConfig, keys: LiveKeys, call: CommandCall): SampleExchange {
  const request = /^([A-Z]+) (\/\S*)$/.exec(call.required("route"));
  if (request === null) throw usageProblem('--route takes a method and a path, such as "PUT /v1/patients/7"');
  const [, method = "", target = ""] = request;
  const listener = listenerOf(config, call.option("listener"));
  const verdict = listener.routes?.match(method, target);
  if (verdict === undefined) throw new SealwrightError("no_route");
  if (verdict.kind === "refuse") throw new SealwrightError(verdict.code, { reason: verdict.reason });
  const { route, captures } = verdict;
  if (route.namesInQuery?.(target) === true) throw new SealwrightError("mapped_query", { route: route.label });
  const engine = createEngine({ keys, limits: listener.limits, metrics: noMetrics, clock: systemClock });
  const given = call.option("tenant");
  if (route.dataset.tenant.kind === "header" && given === undefined && !route.passthrough)
    throw usageProblem("--tenant is needed: the field map takes it from a header");
  if (route.dataset.tenant.kind !== "header" && given !== undefined)
    throw usageProblem("--tenant: the field map does not take it from a header");
  const tenant = route.passthrough ? "" : engine.tenantOf(route, captures, () => (given === undefined ? [] : [given]));
  return { listener, engine, exchange: { route, captures, tenant, mergePatch: call.flag("merge-patch") } };
}

/** Runs one whole body through `rewriter`. Throws what the engine throws. */
export async function rewriteBody(rewriter: BodyRewriter, body: Buffer): Promise<Buffer> {
  try {
    await rewriter.write(body);
    const first = rewriter.take();
    await rewriter.end();
    return Buffer.concat([...first, ...rewriter.take()]);
  } finally {
    rewriter.close();
  }
}
