import { SealwrightError } from "../../base/sealwright-error.ts";
import type { Problem } from "../../base/yaml/problem.ts";

/** `config_invalid` with every problem of the files, in reading order. Its facts are those of the first. */
export class ConfigProblems extends SealwrightError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const [first] = problems;
    super(
      "config_invalid",
      first === undefined ? {} : { reason: first.rule, file: first.file, line: first.line, column: first.column },
    );
    this.problems = Object.freeze([...problems]);
  }
}
