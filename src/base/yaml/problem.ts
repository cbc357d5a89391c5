/** One thing wrong in a configuration file: where, which rule, and what to do. */
export interface Problem {
  /** Path as the operator gave it. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units, as editors count. */
  readonly column: number;
  /** Stable kebab-case name of the rule that is broken. */
  readonly rule: string;
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/** A place in a configuration file, 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A rule that a configuration breaks, before it is known where. */
export interface BrokenRule {
  readonly rule: string;
  readonly message: string;
  readonly fix: string;
}

/** `file:line:column: rule: message (fix)`: the form that editors and CI make clickable. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, rule, message, fix } = problem;
  return `${file}:${line}:${column}: ${rule}: ${message} (${fix})`;
}

/** Problems in the order of a reader: by file, line, column. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      (a.file < b.file ? -1 : Number(a.file > b.file)) ||
      a.line - b.line ||
      a.column - b.column ||
      (a.rule < b.rule ? -1 : Number(a.rule > b.rule)),
  );
}
