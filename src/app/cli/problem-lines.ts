import type { Problem } from "../../base/yaml/problem.ts";
import type { Terminal } from "./terminal.ts";

/** Two lines per problem: where, which rule and what; then what to write instead. */
export function problemLines(problems: readonly Problem[], { paint }: Terminal): readonly string[] {
  return problems.flatMap(({ file, line, column, rule, message, fix }) => [
    `${file}:${line}:${column} ${paint.bad(rule)} ${message}`,
    `  ${paint.faint(fix)}`,
  ]);
}

/** One line per warning: it stops nothing. */
export function warningLines(warnings: readonly Problem[], { paint }: Terminal): readonly string[] {
  return warnings.map(
    ({ file, line, column, rule, message, fix }) =>
      `${file}:${line}:${column} ${paint.warn(rule)} ${message} ${paint.faint(fix)}`,
  );
}
