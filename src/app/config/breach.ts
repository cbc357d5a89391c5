import type { BrokenRule, Problem } from "../../base/yaml/problem.ts";
import type { YamlSource } from "../../base/yaml/yaml-source.ts";
import type { YamlPath } from "../../base/yaml/yaml-value.ts";
import { sidecarRules, type SidecarRule } from "./rule-table.ts";

/** A rule that a sidecar file breaks, and where. */
export interface Breach {
  readonly rule: SidecarRule;
  readonly path: YamlPath;
  /** Default the value. */
  readonly at?: "key" | "value";
  /** Names that would do, for the fix. */
  readonly known?: readonly string[];
}

/** The rule's words, as problems hold them. */
export function brokenRow(rule: SidecarRule, known: readonly string[] = []): BrokenRule {
  const { message, fix } = sidecarRules[rule];
  return { rule, message, fix: known.length === 0 ? fix : `${fix.replace(/\.$/, "")}, or use ${known.join(" or ")}.` };
}

/** The breaches as problems; what the file's YAML is refused for already is not told twice. */
export function breachProblems(source: YamlSource, breaches: readonly Breach[]): readonly Problem[] {
  return breaches
    .filter(({ path }) => !source.refused(path))
    .map(({ rule, path, at, known }) => source.problem(path, brokenRow(rule, known), at));
}
