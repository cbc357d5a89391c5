import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Kms } from "../kms/kms.ts";
import type { KmsConfig } from "../kms/kms-config.ts";
import { openKms } from "../kms/open-kms.ts";
import type { KmsRate } from "../kms/decorators/pace.ts";

export interface KmsSurroundings {
  readonly log: Log;
  readonly metrics: Metrics;
  /** How many calls are made of each key service, where it differs from a sidecar's. */
  readonly rate?: KmsRate;
}

/** For work of a command: one process that somebody watches, with its own bound on calls under way. */
export const commandRate: KmsRate = Object.freeze({ perSecond: 2000, burst: 200 });

/** Opens every KEK of the configuration. When one cannot be opened those that were are closed again. Throws as `openKms`. */
export async function openKmsByName(
  configs: ReadonlyMap<string, KmsConfig>,
  { log, metrics, rate }: KmsSurroundings,
): Promise<ReadonlyMap<string, Kms>> {
  const opened = new Map<string, Kms>();
  try {
    for (const [name, config] of configs) {
      const ports = { clock: systemClock, log, metrics, random: Math.random };
      const paced = rate === undefined ? config : { ...config, patience: { ...config.patience, rate } };
      opened.set(name, await openKms(name, paced, ports));
    }
    return opened;
  } catch (error) {
    await closeKms(opened);
    throw error;
  }
}

/** Closes every one, whatever the others do. */
export async function closeKms(opened: ReadonlyMap<string, Kms>): Promise<void> {
  await Promise.allSettled([...opened.values()].map((kms) => kms.close()));
}
