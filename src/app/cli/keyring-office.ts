import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { noMetrics } from "../../base/metrics.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import type { KeyringOffice } from "../../keys/life-cycle/keyring-life-cycle.ts";
import type { KeysConfig } from "../../keys/keys-config.ts";
import { openKeyringStore } from "../../keys/keyring/stores/open-keyring-store.ts";
import { loadSidecar } from "../config/load-sidecar.ts";
import { closeKms, commandRate, openKmsByName } from "../open-kms-by-name.ts";

/**
 * Opens the key services of a sidecar file and hands its keyring to `work`, as a key administrator holds it; closes them again.
 * Throws `config_invalid` where the file names no keyring, and what loading and `work` throw.
 */
export async function withKeyringOffice<T>(
  config: string,
  work: (office: KeyringOffice, keys: KeysConfig) => Promise<T>,
): Promise<T> {
  const { keys, kms } = loadSidecar(config, { files: "noted" }).config;
  if (keys?.keyring === undefined)
    throw new SealwrightError("config_invalid", { file: config, reason: "no keys.keyring" });
  const opened = await openKmsByName(kms, { log: silentLog, metrics: noMetrics, rate: commandRate });
  try {
    const { keyring, rootId, kek, wraps = [] } = keys;
    const store = openKeyringStore(keyring);
    return await work({ store, rootId, kms: opened, keks: [kek, ...wraps], clock: systemClock }, keys);
  } finally {
    await closeKms(opened);
  }
}
