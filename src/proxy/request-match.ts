import { SealwrightError } from "../base/sealwright-error.ts";
import type { Engine, Exchange } from "../engine/engine.ts";
import type { Route, RouteTable } from "../fieldmap/types.ts";
import type { CheckedHead } from "./request-head.ts";
import type { Treatment } from "./route-treatment.ts";

/** The one route of a request. */
export interface MatchedRoute {
  readonly route: Route;
  readonly captures: ReadonlyMap<string, string>;
}

/** A refusal that names the methods that would do (RFC 9110 section 15.5.6). */
export class MethodRefusal extends SealwrightError {
  readonly allow: readonly string[];

  constructor(reason: string, allow: readonly string[]) {
    super("method_not_allowed", { reason });
    this.allow = allow;
  }
}

/** Throws `path_refused`, `no_route`, `method_not_allowed`, `mapped_query`. */
export function matchRoute(routes: RouteTable, head: CheckedHead): MatchedRoute {
  const verdict = routes.match(head.method, head.target);
  if (verdict.kind === "route") {
    if (verdict.route.namesInQuery?.(head.target) === true) throw new SealwrightError("mapped_query");
    return verdict;
  }
  if (verdict.code === "method_not_allowed") throw new MethodRefusal(verdict.reason, verdict.allow);
  throw new SealwrightError(verdict.code, { reason: verdict.reason });
}

/** Nobody behind us may see another tenant's name, or none, where we saw one. Throws `header_refused`. */
function checkTenantHeader(header: string, head: CheckedHead): void {
  if (head.listed.includes(header)) {
    throw new SealwrightError("header_refused", { reason: "connection lists the tenant's header" });
  }
  const poses = (name: string): boolean => name !== header && name.replaceAll("_", "-") === header;
  if (head.lines.names.some((name) => name.includes("_") && poses(name))) {
    throw new SealwrightError("header_refused", { reason: "underscores in the tenant's header" });
  }
}

/** The tenant, from the request alone and never from the connection. Throws `tenant_refused`, `tenant_limit`, `header_refused`. */
export function tenantOf(engine: Engine, matched: MatchedRoute, head: CheckedHead, treatment: Treatment): string {
  if (!treatment.rewrites) return "";
  const header = treatment.tenantHeader?.toLowerCase();
  if (header !== undefined) checkTenantHeader(header, head);
  return engine.tenantOf(matched.route, matched.captures, (name) => head.lines.all(name.toLowerCase()));
}

/** What the engine is told of a request whose media type is known by now. */
export function exchangeOf(matched: MatchedRoute, tenant: string, mergePatch: boolean): Exchange {
  return { route: matched.route, captures: matched.captures, tenant, mergePatch };
}
