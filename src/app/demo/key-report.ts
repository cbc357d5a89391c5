import type { Checks } from "./checks.ts";
import type { KmsReport } from "./demo-report.ts";
import { samplesOf, sumOf } from "./metrics-page.ts";

/** Reads from Sealwright's metrics what the key service was asked and what it was asked for. */
export async function reportKeys(admin: string, checks: Checks): Promise<KmsReport> {
  const page = await (await fetch(`${admin}/metrics`)).text();
  const counts = new Map<string, number>();
  for (const { labels, value } of samplesOf(page, "sealwright_kms_calls_total")) {
    const operation = labels["operation"] ?? "";
    counts.set(operation, (counts.get(operation) ?? 0) + value);
  }
  const calls = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const sealed = sumOf(page, "sealwright_values_sealed_total");
  const opened = sumOf(page, "sealwright_values_opened_total");
  checks.that("keys: the key service stayed off the hot path", calls > 0 && calls * 100 < sealed + opened);
  checks.that("metrics: no clear value passed", sumOf(page, "sealwright_clear_values_passed_total") === 0);
  return { calls, operations: Object.fromEntries(counts), sealed, opened };
}
