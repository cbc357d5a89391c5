import { parseDuration } from "../../base/units.ts";
import { printTime } from "../../keys/keyring/keyring-file.ts";
import type { KeyUse } from "../../keys/keys.ts";
import { tenantPattern } from "../../fieldmap/tenant.ts";
import { usageProblem } from "./usage-problem.ts";

/** A whole number from 1 on. Throws `usage`. */
export function wholeNumber(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw usageProblem(`--${name} takes a whole number from 1 on`);
  return Number(text);
}

/** Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`, a date that the calendar has. Throws `usage`. */
export function timeMs(name: string, text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || printTime(ms) !== text)
    throw usageProblem(`--${name} takes a time such as 2026-12-31T00:00:00Z`);
  return ms;
}

/** Milliseconds of a duration such as `10m`. Throws `usage`. */
export function durationMs(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw usageProblem(`--${name} takes a time such as 30s, 10m or 1d`);
  return ms;
}

export function keyUse(text: string): KeyUse {
  if (text !== "randomized" && text !== "deterministic") throw usageProblem("--use takes randomized or deterministic");
  return text;
}

/** A tenant as requests may name it. Throws `usage`. */
export function tenantName(text: string): string {
  if (!tenantPattern.test(text)) throw usageProblem("--tenant takes 1-128 characters A-Z a-z 0-9 . _ -");
  return text;
}

/** A dataset as field maps may name it. Throws `usage`. */
export function datasetName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(text)) throw usageProblem("--dataset takes 1-128 characters A-Z a-z 0-9 . _ -");
  return text;
}
