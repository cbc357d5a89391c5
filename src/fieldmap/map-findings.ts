import type { BrokenRule, Problem } from "../base/yaml/problem.ts";
import type { YamlSource } from "../base/yaml/yaml-source.ts";
import type { BrokenMapRule, MapWarning } from "./map-rules.ts";

type MapPath = readonly (string | number)[];

/** What the rules find in one map file: problems, which keep it from loading, and warnings. */
export class MapFindings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #source: YamlSource;

  constructor(source: YamlSource) {
    this.#source = source;
  }

  problem(path: MapPath, broken: BrokenMapRule, what: "key" | "value" = "value"): void {
    this.#add(this.problems, this.#source.problem(path, broken, what));
  }

  warn(path: MapPath, rule: MapWarning, words: { readonly message: string; readonly fix: string }): void {
    const broken: BrokenRule = { rule, ...words };
    this.#add(this.warnings, this.#source.problem(path, broken));
  }

  /** The same rule at the same place is one finding, however many routes lead to it. */
  #add(list: Problem[], found: Problem): void {
    const known = list.some(
      ({ rule, line, column }) => rule === found.rule && line === found.line && column === found.column,
    );
    if (!known) list.push(found);
  }
}
