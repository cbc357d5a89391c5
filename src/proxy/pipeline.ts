import { SealwrightError } from "../base/sealwright-error.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { RequestHandler } from "./http-port.ts";
import { RequestFlow } from "./request-flow.ts";
import { checkRequestHead } from "./request-head.ts";
import { matchRoute, tenantOf } from "./request-match.ts";
import { treatmentOf } from "./route-treatment.ts";

/** The request path of one listener, in its order. What any step throws is answered by `RequestFlow.fail`. */
export function createPipeline(parts: FlowParts): RequestHandler {
  return (client) => {
    const flow = new RequestFlow(parts, client);
    flow.rescue("request", () => {
      // Load is shed before any work is done for it.
      parts.admission.enter(flow);
      // Who may not come in learns nothing of the routes.
      if (!client.peer.allowed) throw new SealwrightError("client_refused");
      // A head that two readers could read two ways has no route.
      const head = checkRequestHead(client.head);
      // Nothing is forwarded but by a rule.
      const matched = matchRoute(parts.routes, head);
      const treatment = treatmentOf(matched.route);
      // Whose data it is, before a byte of the body is asked for.
      const tenant = tenantOf(parts.engine, matched, head, treatment);
      // Body: media type, content coding, sealing, upstream. Then the answer: opening, client.
      flow.forward({ head, matched, treatment, tenant });
    });
    return flow;
  };
}
