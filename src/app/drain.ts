import type { Clock } from "../base/clock.ts";
import type { RunningListener } from "../proxy/running-listener.ts";
import type { ListenerConfig } from "./config/sidecar-config.ts";
import type { TlsSet } from "./tls-files.ts";

export interface StartedListener {
  readonly config: ListenerConfig;
  readonly running: RunningListener;
  /** What it was started with. */
  readonly tls: TlsSet;
}

/** An outbound listener gets at least this long, however long the inbound ones took. */
const leastMs = 1000;

/**
 * Drains the inbound listeners, then the outbound ones: a request that came in needs the store until it is answered. All of it
 * within the longest `timeouts.drain`. True = everything under way could finish.
 */
export async function drainListeners(listeners: readonly StartedListener[], clock: Clock): Promise<boolean> {
  const startedMs = clock.monotonicMs();
  const cutShort: boolean[] = [];
  for (const direction of ["inbound", "outbound"]) {
    const spentMs = clock.monotonicMs() - startedMs;
    const drained = listeners
      .filter(({ config }) => config.direction === direction)
      .map(({ config, running }) => running.drain(Math.max(leastMs, config.timeouts.drain - spentMs)));
    cutShort.push(...(await Promise.all(drained)));
  }
  return !cutShort.includes(true);
}
