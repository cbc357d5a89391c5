import { z } from "zod";
import type { BrokenRule, Problem } from "./problem.ts";
import { suggestion } from "./suggestion.ts";
import type { YamlPath } from "./yaml-value.ts";
import type { YamlSource } from "./yaml-source.ts";

type Issue = z.core.$ZodIssue;

/** What a check of a file against a schema found: the typed value, or every problem at once. */
export interface CheckedShape<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** Checks a file's value against a schema. Problems do not repeat those of the source. */
export function checkShape<S extends z.ZodType>(source: YamlSource, schema: S): CheckedShape<z.output<S>> {
  if (source.value === undefined) return { value: undefined, problems: [] };
  const result = schema.safeParse(source.value);
  return result.success
    ? { value: result.data, problems: [] }
    : { value: undefined, problems: zodProblems(source, schema, result.error) };
}

/** Zod's issues as problems of the file, each at its line with a rule and a way out. */
export function zodProblems(source: YamlSource, schema: z.ZodType, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => issueProblems({ source, schema }, issue, []));
}

/**
 * A rule of a schema's own, for `superRefine`: `context.addIssue(brokenRule(rule, path))`. `path` is relative to what is
 * refined; `at` points at the setting's name, or at one character (from 0) of its text.
 */
export function brokenRule(broken: BrokenRule, path: YamlPath = [], at: "key" | "value" | number = "value") {
  const params = { rule: broken.rule, fix: broken.fix, at };
  return { code: "custom" as const, message: broken.message, path: [...path], params };
}

interface Checked {
  readonly source: YamlSource;
  readonly schema: z.ZodType;
}

function issueProblems(checked: Checked, issue: Issue, above: YamlPath): Problem[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === "symbol" ? step.toString() : step))];
  if (checked.source.refused(path)) return [];
  const one = (broken: BrokenRule, what: "key" | "value" = "value", where: YamlPath = path): Problem[] => [
    checked.source.problem(where, broken, what),
  ];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys
        .filter((key) => !checked.source.refused([...path, key]))
        .flatMap((key) => one(unknownSetting(checked, path, key), "key", [...path, key]));
    case "invalid_type":
      return one(valueAt(checked.source.value, path) === undefined ? missing(path) : wrongType(issue.expected, path));
    case "invalid_value":
      return one(
        valueAt(checked.source.value, path) === undefined ? missing(path) : unknownValue(checked, path, issue.values),
      );
    case "invalid_union":
      return unionProblems(checked, issue, path);
    case "invalid_format":
      return one({
        rule: "wrong-form",
        message: `${quoted(path)} does not have the form it needs.`,
        fix: issue.message,
      });
    case "too_small":
    case "too_big":
      return one({ rule: "out-of-range", message: `${quoted(path)} is out of range.`, fix: issue.message });
    case "custom":
      return [customProblem(checked.source, issue, path)];
    case "invalid_key":
      return one(
        { rule: "wrong-form", message: "A name does not have the form it needs.", fix: firstMessage(issue.issues) },
        "key",
      );
    case "invalid_element":
    case "not_multiple_of":
      return one({
        rule: "wrong-form",
        message: `${quoted(path)} does not have the form it needs.`,
        fix: issue.message,
      });
  }
}

/** Of the shapes a value may have, the one it comes nearest to says what is wrong. */
function unionProblems(checked: Checked, issue: z.core.$ZodIssueInvalidUnion, path: YamlPath): Problem[] {
  const misfit = (issues: readonly Issue[]): number =>
    issues.reduce((sum, { code, path: at }) => sum + (at.length > 0 ? 1 : code === "unrecognized_keys" ? 3 : 5), 0);
  const [nearest, ...others] = issue.errors.toSorted((a, b) => misfit(a) - misfit(b));
  const value = valueAt(checked.source.value, path);
  if (nearest === undefined || value === undefined) return [checked.source.problem(path, missing(path))];
  const undecided = others.length > 0 && others.every((other) => misfit(other) === misfit(nearest));
  const settings = settingsAt(checked.schema, path);
  if (undecided && settings.length > 0 && isObject(value)) {
    const unknown = Object.keys(value).filter((key) => !settings.includes(key));
    if (unknown.length === 0) {
      const fix = `Write exactly one of ${settings.join(", ")}.`;
      return [checked.source.problem(path, { rule: "wrong-form", message: `${quoted(path)} must be one thing.`, fix })];
    }
    return unknown.map((key) => checked.source.problem([...path, key], unknownSetting(checked, path, key), "key"));
  }
  return nearest.flatMap((below) => issueProblems(checked, below, path));
}

function unknownSetting(checked: Checked, path: YamlPath, key: string): BrokenRule {
  const settings = settingsAt(checked.schema, path);
  const meant = suggestion(key, settings);
  return {
    rule: "unknown-setting",
    message: `${JSON.stringify(key)} is no setting here.`,
    fix: meant === undefined ? `Settings here: ${settings.join(", ")}.` : `Did you mean ${meant}?`,
  };
}

function unknownValue(checked: Checked, path: YamlPath, values: readonly z.core.util.Primitive[]): BrokenRule {
  const names = values.map(String);
  const value = valueAt(checked.source.value, path);
  const meant = typeof value === "string" ? suggestion(value, names) : undefined;
  return {
    rule: "unknown-value",
    message: `${quoted(path)} does not know this value.`,
    fix: meant === undefined ? `Write ${names.join(" or ")}.` : `Did you mean ${meant}?`,
  };
}

function missing(path: YamlPath): BrokenRule {
  const name = String(path.at(-1) ?? "");
  return { rule: "missing-setting", message: `${JSON.stringify(name)} is missing.`, fix: `Add ${name}.` };
}

const typeNames = new Map<string, string>([
  ["string", "text; put it in quotes"],
  ["number", "a plain decimal number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a group of settings"],
  ["record", "a group of settings"],
]);

function wrongType(expected: string, path: YamlPath): BrokenRule {
  const name = typeNames.get(expected) ?? expected;
  return { rule: "wrong-type", message: `${quoted(path)} has the wrong type.`, fix: `Write ${name}.` };
}

function customProblem(source: YamlSource, issue: z.core.$ZodIssueCustom, path: YamlPath): Problem {
  const rule: unknown = issue.params?.["rule"];
  const fix: unknown = issue.params?.["fix"];
  const at: unknown = issue.params?.["at"];
  const broken: BrokenRule =
    typeof rule === "string" && typeof fix === "string"
      ? { rule, message: issue.message, fix }
      : { rule: "wrong-form", message: `${quoted(path)} does not have the form it needs.`, fix: issue.message };
  if (typeof at !== "number") return source.problem(path, broken, at === "key" ? "key" : "value");
  return { file: source.file, ...source.within(path, at), ...broken };
}

function firstMessage(issues: readonly Issue[]): string {
  return issues[0]?.message ?? "Look at the documentation.";
}

function quoted(path: YamlPath): string {
  const name = path.findLast((step) => typeof step === "string");
  return name === undefined ? "The file" : JSON.stringify(name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(root: unknown, path: YamlPath): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === "number") value = value[step] as unknown;
    else if (isObject(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** Names of the settings that the schema knows at `path`, of every shape the value may have there. */
function settingsAt(schema: z.core.$ZodType, path: YamlPath): string[] {
  const [step, ...rest] = path;
  if (schema instanceof z.ZodUnion) return [...new Set(schema.options.flatMap((option) => settingsAt(option, path)))];
  if (schema instanceof z.ZodPipe) return settingsAt(schema.in, path);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  )
    return settingsAt(schema.unwrap(), path);
  if (schema instanceof z.ZodObject) {
    if (step === undefined) return Object.keys(schema.shape);
    const below: unknown = schema.shape[step];
    return below instanceof z.ZodType ? settingsAt(below, rest) : [];
  }
  if (step === undefined) return [];
  if (schema instanceof z.ZodArray) return settingsAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return settingsAt(schema.valueType, rest);
  return [];
}
