import { systemClock } from "../../base/clock.ts";
import type { Finding } from "../../base/finding.ts";
import { silentLog } from "../../base/log.ts";
import { noMetrics } from "../../base/metrics.ts";
import { vaultFindings } from "../../kms/vault/vault-findings.ts";
import type { SidecarConfig } from "../config/sidecar-config.ts";

/** What key services tell of themselves, where they do: what this caller may do there, and how the key is kept. */
export async function serviceFindings({ kms }: SidecarConfig): Promise<readonly Finding[]> {
  const ports = { clock: systemClock, log: silentLog, metrics: noMetrics, random: Math.random };
  const found = await Promise.all(
    [...kms].map(async ([kek, config]) =>
      config.provider === "vault" ? await vaultFindings(config, { ...ports, kek }) : [],
    ),
  );
  return found.flat();
}
