import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { noMetrics } from "../../base/metrics.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import type { LiveKeys } from "../../keys/keys.ts";
import { openKeys } from "../../keys/open-keys.ts";
import { loadSidecar, type LoadedSidecar } from "../config/load-sidecar.ts";
import { closeKms, commandRate, openKmsByName } from "../open-kms-by-name.ts";

/**
 * Opens the keys of a sidecar file for `work` and closes them again. Throws `config_invalid` where the file has none, and what
 * loading, the keys' start and `work` throw.
 */
export async function withKeys<T>(
  file: string,
  work: (loaded: LoadedSidecar, keys: LiveKeys) => Promise<T>,
): Promise<T> {
  const loaded = loadSidecar(file, { files: "noted" });
  const { keys, kms } = loaded.config;
  if (keys === undefined) throw new SealwrightError("config_invalid", { file, reason: "no keys" });
  const opened = await openKmsByName(kms, { log: silentLog, metrics: noMetrics, rate: commandRate });
  try {
    // The report is the running sidecar's.
    const service = await openKeys(
      { ...keys, usageReport: undefined },
      { clock: systemClock, log: silentLog, metrics: noMetrics, kms: opened },
    );
    try {
      await service.start();
      return await work(loaded, service);
    } finally {
      await service.close();
    }
  } finally {
    await closeKms(opened);
  }
}
