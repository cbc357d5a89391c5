import { BoundedCache } from "../base/bounded-cache.ts";
import type { Clock } from "../base/clock.ts";
import type { Metrics } from "../base/metrics.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

const rememberedTenants = 100_000;
const minute = 60_000;

/** Caps how many tenants not seen before may appear per minute: each costs a key and perhaps a call to the key service. */
export class TenantAdmission {
  readonly #known = new BoundedCache<true>(rememberedTenants);
  readonly #perMinute: number;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  #windowStart: number;
  #admitted = 0;

  constructor(perMinute: number, { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics }) {
    this.#perMinute = perMinute;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#windowStart = clock.monotonicMs();
  }

  /** Throws `tenant_limit`. */
  admit(tenant: string): void {
    if (this.#known.get(tenant) === true) return;
    const now = this.#clock.monotonicMs();
    if (now - this.#windowStart >= minute) {
      this.#windowStart = now;
      this.#admitted = 0;
    }
    if (this.#admitted >= this.#perMinute) {
      this.#metrics.count("sealwright_key_budget_refusals_total", { limit: "new_tenants" });
      throw new SealwrightError("tenant_limit");
    }
    this.#admitted += 1;
    this.#known.set(tenant, true);
  }
}
