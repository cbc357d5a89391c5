/** Numbers with units, as every config writes them: `512KiB`, `30s`. A bare number is refused. */

const byteUnits = new Map([
  ["B", 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

const timeUnits = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

export const sizePattern = "^(0|[1-9][0-9]{0,14})(B|KiB|MiB|GiB)$";
export const durationPattern = "^(0|[1-9][0-9]{0,14})(ms|s|m|h|d)$";

function parseWithUnit(text: string, pattern: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = new RegExp(pattern).exec(text);
  const factor = units.get(match?.[2] ?? "");
  if (match?.[1] === undefined || factor === undefined) return undefined;
  const value = Number(match[1]) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Bytes, or `undefined` when `text` is no size such as `512KiB`. */
export const parseSize = (text: string): number | undefined => parseWithUnit(text, sizePattern, byteUnits);

/** Milliseconds, or `undefined` when `text` is no duration such as `30s`. */
export const parseDuration = (text: string): number | undefined => parseWithUnit(text, durationPattern, timeUnits);

/** The shortest spelling of `bytes` that `parseSize` reads back. */
export function formatSize(bytes: number): string {
  return formatWithUnit(bytes, byteUnits);
}

/** The shortest spelling of `ms` that `parseDuration` reads back. */
export function formatDuration(ms: number): string {
  return formatWithUnit(ms, timeUnits);
}

function formatWithUnit(value: number, units: ReadonlyMap<string, number>): string {
  const fitting = [...units].filter(([, factor]) => value % factor === 0);
  const [unit, factor] = (value === 0 ? [...units][0] : fitting.at(-1)) ?? ["", 1];
  return `${value / factor}${unit}`;
}
