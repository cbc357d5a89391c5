import { z } from "zod";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { oneSpelling } from "../keyring/one-spelling.ts";

/**
 * What one sidecar has sealed and opened, by data key:
 *
 *     { apiVersion, kind: "KeyUsage", sidecar, since, writtenAt, keys: { <key id>: usage }, other: { sealed, opened } }
 *     usage = { sealed, opened, lastSealed?, lastOpened? }
 *
 * Key ids: 64 lower-case hex digits, sorted, of keyrings and of the inline form. `sidecar`: 32 random hex digits, kept as long as
 * the file is. Counts are of values since `since`, whole numbers; `other` holds the counts of keys that found no room.
 * Times: YYYY-MM-DDTHH:MM:SS.sssZ.
 */
const count = z.int().min(0);
const time = z.string().refine(isTime);

const usageSchema = z.strictObject({
  sealed: count,
  opened: count,
  lastSealed: z.exactOptional(time),
  lastOpened: z.exactOptional(time),
});

/** Keys that a report holds at most; who names more than that only moves `other`. */
export const usageReportKeys = 10_000;

const reportSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("KeyUsage"),
  sidecar: z.string().regex(/^[0-9a-f]{32}$/),
  since: time,
  writtenAt: time,
  keys: z
    .record(z.string().regex(/^[0-9a-f]{64}$/), usageSchema)
    .refine((keys) => Object.keys(keys).length <= usageReportKeys),
  other: z.strictObject({ sealed: count, opened: count }),
});

/** Values sealed and opened under one key, and when last. */
export type KeyUsageCounts = Readonly<z.output<typeof usageSchema>>;

export interface UsageReport {
  readonly apiVersion: "sealwright.dev/v1";
  readonly kind: "KeyUsage";
  readonly sidecar: string;
  readonly since: string;
  readonly writtenAt: string;
  readonly keys: Readonly<Record<string, KeyUsageCounts>>;
  readonly other: { readonly sealed: number; readonly opened: number };
}

/** Reads a report's bytes. Throws `usage_report_invalid`. */
export function parseUsageReport(bytes: Buffer): UsageReport {
  const json = oneSpelling(bytes);
  const parsed = json === undefined ? undefined : reportSchema.safeParse(json.value);
  if (parsed?.success !== true) throw new SealwrightError("usage_report_invalid");
  return parsed.data;
}

/** The text of a report, two spaces a level, keys sorted, with a line break at its end. */
export function printUsageReport(report: UsageReport): string {
  const keys = Object.fromEntries(Object.entries(report.keys).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...report, keys }, undefined, 2)}\n`;
}

/** `ms` since 1970 as a report writes times. */
export function printUsageTime(ms: number): string {
  return new Date(ms).toISOString();
}

function isTime(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && printUsageTime(ms) === text;
}
