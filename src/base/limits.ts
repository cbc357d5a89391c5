import { parseSize } from "./units.ts";

/** One limit on what a body may hold: its default (with unit where it counts bytes) and what it bounds. */
export interface LimitRow {
  readonly default: number;
  readonly unit: "bytes" | "count";
  readonly help: string;
}

const bytes = (text: string): number => parseSize(text) ?? 0;

/** The limits table: every bound on a JSON body, settable per listener under `limits`. */
export const limitTable = {
  depth: { default: 128, unit: "count", help: "Nested containers." },
  keysPerObject: { default: 10_000, unit: "count", help: "Keys of one object." },
  keysPerBody: { default: 500_000, unit: "count", help: "Keys of one body." },
  nameBytes: { default: bytes("4KiB"), unit: "bytes", help: "One key, as written." },
  valueBytes: { default: bytes("8MiB"), unit: "bytes", help: "One value that is sealed or opened, as written." },
  stringBytes: { default: bytes("64MiB"), unit: "bytes", help: "Any one string, as written." },
  valuesPerBody: { default: 100_000, unit: "count", help: "Values sealed or opened in one body." },
  bodyBytes: { default: bytes("1GiB"), unit: "bytes", help: "One body, as sent and after content decoding." },
  wholeBytes: {
    default: bytes("512KiB"),
    unit: "bytes",
    help: "Bodies up to this are checked whole before a byte leaves.",
  },
  recordWindow: {
    default: bytes("512KiB"),
    unit: "bytes",
    help: "What of a document is held until its record is known.",
  },
  keysPerMessage: { default: 64, unit: "count", help: "Distinct data keys that one message may ask for." },
  newTenantsPerMinute: { default: 600, unit: "count", help: "Tenants not seen before, per minute." },
} as const satisfies Readonly<Record<string, LimitRow>>;

export type LimitName = keyof typeof limitTable;
export type Limits = Readonly<Record<LimitName, number>>;

export const defaultLimits: Limits = Object.freeze(
  Object.fromEntries(Object.entries(limitTable).map(([name, row]) => [name, row.default])) as Record<LimitName, number>,
);
