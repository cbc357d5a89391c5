import { SealwrightError } from "../base/sealwright-error.ts";
import type { TenantSource } from "./types.ts";

/** What a tenant is made of, wherever it comes from. */
export const tenantPattern = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The tenant of one request. `header` gives every value of a request header by lower-case name: one value is demanded, and
 * a value that lists several fails the alphabet. Throws `tenant_refused`.
 */
export function tenantFrom(
  source: TenantSource,
  captures: ReadonlyMap<string, string>,
  header: (name: string) => readonly string[],
): string {
  switch (source.kind) {
    case "constant":
      return checked(source.tenant);
    case "path":
      return checked(captures.get(source.capture));
    case "header": {
      const [value, ...more] = header(source.name);
      if (more.length > 0) throw new SealwrightError("tenant_refused", { reason: "repeated" });
      return checked(value);
    }
  }
}

function checked(tenant: string | undefined): string {
  if (tenant === undefined) throw new SealwrightError("tenant_refused", { reason: "absent" });
  if (!tenantPattern.test(tenant)) throw new SealwrightError("tenant_refused", { reason: "alphabet" });
  return tenant;
}
