import type { Route } from "../fieldmap/types.ts";

/** What a route does to its messages. */
export interface Treatment {
  /** Request bodies are sealed or checked. */
  readonly readsRequests: boolean;
  readonly opens: boolean;
  /** Bodies may differ from what the other side sent: ranges and digests of them are void. */
  readonly rewrites: boolean;
  /** The header that names the tenant, where one does. */
  readonly tenantHeader: string | undefined;
}

export function treatmentOf(route: Route): Treatment {
  const readsRequests = route.request.kind !== "none";
  const opens = route.open !== undefined;
  const rewrites = readsRequests || opens;
  const source = route.dataset.tenant;
  return {
    readsRequests,
    opens,
    rewrites,
    tenantHeader: rewrites && source.kind === "header" ? source.name : undefined,
  };
}
