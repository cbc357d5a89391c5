import type { DarkTimes, KeyOutlook, Outlook } from "./key-outlook.ts";

/** Keys that a drill tells of, those that go dark first. */
const drillKeys = 1000;

/** What would happen if the key service were out of reach from now on. Seconds. */
export interface DrillReport {
  /** Keys are used on the outage budget already. */
  readonly outage: boolean;
  /** Until the first write and the first read with keys in memory fails; absent = no key of the kind is in memory. */
  readonly secondsToDark: DarkTimes;
  /** Scopes that could not seal and keys that could not open from the first moment on: not in memory. */
  readonly cold: { readonly seal: number; readonly open: number };
  /** The keys in memory that go dark first, then those that are not in memory. */
  readonly keys: readonly KeyOutlook[];
  /** Keys beyond those. */
  readonly more: number;
}

/** The report on `outlook`. */
export function drillReport({ keys, firstDark, cold }: Outlook, outage: boolean): DrillReport {
  const sorted = keys.toSorted((a, b) => Number(b.inMemory) - Number(a.inMemory) || a.opens - b.opens);
  const shown = sorted.slice(0, drillKeys);
  return { outage, secondsToDark: firstDark, cold, keys: shown, more: sorted.length - shown.length };
}
