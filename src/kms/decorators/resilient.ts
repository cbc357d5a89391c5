import { CircuitBreakerKms } from "./circuit-breaker.ts";
import { ClosingKms } from "./closing.ts";
import { DeadlineKms } from "./deadline.ts";
import type { Kms } from "../kms.ts";
import { defaultPatience, type KmsPatience } from "../kms-config.ts";
import type { KmsPorts } from "../kms-ports.ts";
import { MeteredKms } from "./metered.ts";
import { PacedKms } from "./paced.ts";
import { RetryKms } from "./retry.ts";

/** `provider` behind all decorators. Reads from the wire outwards. */
export function resilientKms(
  provider: Kms,
  kek: string,
  settings: { readonly patience?: Partial<KmsPatience> | undefined; readonly ports: KmsPorts },
): Kms {
  const { ports } = settings;
  const patience = { ...defaultPatience, ...settings.patience };
  // Each attempt has an end, also where the provider itself hangs before it sends (credentials, name look-up).
  const bounded = new DeadlineKms(provider, patience.attemptMs, ports.clock);
  // Measured inside the retries: every call that the service sees is counted, and none that it does not.
  const metered = new MeteredKms(bounded, kek, ports);
  const retried = new RetryKms(metered, patience, ports);
  // The whole call has an end too, which the request that waits for it can count on.
  const ending = new DeadlineKms(retried, patience.callMs, ports.clock);
  // What fails at once is neither retried nor timed.
  const guarded = new CircuitBreakerKms(ending, kek, { backOff: patience, ports });
  // Outside the breaker: what had to wait too long for its turn says nothing about the service.
  const paced = new PacedKms(guarded, kek, { pacing: patience, ports });
  // The wait for a turn counts too.
  const whole = new DeadlineKms(paced, patience.callMs, ports.clock);
  // Outermost: what has been closed is not asked again.
  return new ClosingKms(whole);
}
