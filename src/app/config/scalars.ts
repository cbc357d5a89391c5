import { z } from "zod";
import { formatListenAddress, parseListenAddress } from "../../base/listen-address.ts";
import { durationPattern, parseDuration, parseSize, sizePattern } from "../../base/units.ts";
import { brokenRule } from "../../base/yaml/zod-problems.ts";
import { brokenRow } from "./breach.ts";
import { sidecarRules, type SidecarRule } from "./rule-table.ts";

/** Text that `parse` understands, given on as what it means. `pattern` and the rule's fix go into the JSON schema too. */
export function parsedText<T>(rule: SidecarRule, parse: (text: string) => T | undefined, pattern?: string) {
  return z
    .string()
    .meta({ description: sidecarRules[rule].fix, ...(pattern === undefined ? {} : { pattern }) })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue(brokenRule(brokenRow(rule)));
      return z.NEVER;
    });
}

/** Longest time that a timer of the runtime holds, milliseconds; a longer one would end at once. */
export const longestTimerMs = 2 ** 31 - 1;

interface Span {
  readonly rule: SidecarRule;
  readonly least: number;
  readonly most: number;
}

/** Milliseconds from `least` to `most`, told apart from what is no duration by `rule`. */
export function durationWithin({ rule, least, most }: Span) {
  return parsedText("duration-form", parseDuration, durationPattern).superRefine((ms, context) => {
    if (ms < least || ms > most) context.addIssue(brokenRule(brokenRow(rule)));
  });
}

/** Milliseconds that a timer holds, at least one: no time at all would end what it bounds before it begins, or never. */
export const duration = durationWithin({ rule: "duration-range", least: 1, most: longestTimerMs });

/** As `duration`, or no time at all. */
export const durationOrNone = durationWithin({ rule: "duration-range", least: 0, most: longestTimerMs });

/** Bytes. */
export const size = parsedText("size-form", parseSize, sizePattern);

export const listen = parsedText("listen-form", (text) => {
  const address = parseListenAddress(text);
  return address === undefined || formatListenAddress(address) !== text ? undefined : address;
});

/** A name that the file itself gives to something: a KEK, an identity, a trust anchor, a listener. KEK names are permanent. */
export const name = z.string().regex(/^[a-z0-9-]{1,63}$/, "Use 1-63 characters a-z, 0-9 and -.");

/** Relative to the file that holds it. */
export const filePath = z.string().min(1, "Write a path.");

/** A positive whole number that has no unit. */
export const count = z.int().min(1, "Write a whole number from 1 on.");
