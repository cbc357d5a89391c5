import { SealwrightError } from "../base/sealwright-error.ts";
import { tenantFrom } from "../fieldmap/tenant.ts";
import type { Route } from "../fieldmap/types.ts";
import { BorrowedKeys } from "./borrowed-keys.ts";
import type { BodyRewriter, Engine, Exchange } from "./engine.ts";
import type { EngineContext } from "./engine-context.ts";
import { OpenValues } from "./open-values.ts";
import { passValues } from "./pass-values.ts";
import { SealValues } from "./seal-values.ts";
import { SplicedBody } from "./spliced-body.ts";
import { TenantAdmission } from "./tenant-admission.ts";

/** The engine of one listener: `context.limits` are that listener's. */
export function createEngine(context: EngineContext): Engine {
  const admission = new TenantAdmission(context.limits.newTenantsPerMinute, context);
  // One message sees one generation of the keys from its first value to its last.
  const borrow = (): BorrowedKeys => new BorrowedKeys(context.keys.snapshot(), context.limits, context.metrics);

  return Object.freeze({
    tenantOf(route: Route, captures: ReadonlyMap<string, string>, header: (name: string) => readonly string[]): string {
      const source = route.dataset.tenant;
      const tenant = tenantFrom(source, captures, header);
      if (source.kind !== "constant") admission.admit(tenant);
      return tenant;
    },

    sealRequest(exchange: Exchange): BodyRewriter {
      const rule = exchange.route.request;
      if (rule.kind === "none") throw new SealwrightError("no_request_rule", { route: exchange.route.label });
      if (rule.kind === "pass") return new SplicedBody(rule.guide, passValues, context.limits);
      return new SplicedBody(rule.plan.guide, new SealValues(rule.plan, exchange, context, borrow()), context.limits);
    },

    openResponse(exchange: Exchange): BodyRewriter {
      const plan = exchange.route.open;
      if (plan === undefined)
        throw new SealwrightError("internal", { reason: "route does not open", route: exchange.route.label });
      return new SplicedBody(plan.guide, new OpenValues(plan, exchange, context, borrow()), context.limits);
    },

    checkEmptyRequest(exchange: Exchange): void {
      if (exchange.route.request.kind !== "seal") return;
      const missing = exchange.route.dataset.fields.find((field) => !field.optional);
      if (missing !== undefined)
        throw new SealwrightError("field_missing", { field: missing.name, route: exchange.route.label });
    },
  });
}
