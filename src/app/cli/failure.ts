import { causesOf } from "../../base/error-causes.ts";
import { asSealwrightError, type SealwrightError } from "../../base/sealwright-error.ts";
import { ConfigProblems } from "../config/config-problems.ts";
import { problemLines } from "./problem-lines.ts";
import type { Terminal } from "./terminal.ts";

/** What went wrong, for a person: code and text, where, what to do. */
function failureLines(error: SealwrightError, terminal: Terminal): readonly string[] {
  const { reason, file, line, column, field, dataset, route, kek, keyId, position } = error.facts;
  const place = file === undefined ? undefined : [file, line, column].filter((part) => part !== undefined).join(":");
  const facts = Object.entries({ place, reason, route, dataset, field, kek, keyId, position }).flatMap(
    ([name, fact]) => (fact === undefined ? [] : [`${name === "place" ? "file" : name}: ${String(fact)}`]),
  );
  const causes = error.cause === undefined ? [] : [`cause: ${causesOf(error.cause)}`];
  return [
    `${terminal.paint.bad(error.code)} ${error.message}`,
    ...[...facts, ...causes].map((fact) => `  ${fact}`),
    `  ${terminal.paint.faint(error.row.advice)}`,
  ];
}

/** Tells why a command ended: on stderr for a person, as one JSON document on stdout for a machine. */
export function tellFailure(thrown: unknown, terminal: Terminal, json: boolean): void {
  if (thrown instanceof ConfigProblems) {
    if (json) terminal.result(JSON.stringify({ ok: false, problems: thrown.problems }));
    else for (const line of problemLines(thrown.problems, terminal)) terminal.progress(line);
    return;
  }
  const error = asSealwrightError(thrown);
  if (json) {
    const { code, message, facts, row } = error;
    const causes = error.cause === undefined ? {} : { causes: causesOf(error.cause) };
    terminal.result(
      JSON.stringify({ ok: false, error: { code, text: message, advice: row.advice, ...facts, ...causes } }),
    );
  } else for (const line of failureLines(error, terminal)) terminal.progress(line);
}
