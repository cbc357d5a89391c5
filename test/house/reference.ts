import { errorTable } from "../../src/base/error-table.ts";
import { limitTable } from "../../src/base/limits.ts";
import { metricTable } from "../../src/base/metrics.ts";
import { formatSize } from "../../src/base/units.ts";

/** A reference page: where it stands and its text, made from the table that the program itself uses. */
export interface ReferencePage {
  readonly path: string;
  readonly text: string;
}

const made = "<!-- Made by `npm run docs` from the program's own table. Change the table, not this page. -->";

function page(title: string, intro: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [`# ${title}`, "", made, "", intro, "", line(head), line(head.map(() => "---")), ...rows.map(line), ""].join(
    "\n",
  );
}

const errorsIntro =
  "Every refusal and failure carries one of these codes, in the answer (`application/problem+json`), in the log and from " +
  "the commands. Codes are permanent. Status: what a request gets; a 4xx row that is the upstream's doing answers 502. " +
  "Retry: the same request may succeed later without anybody changing anything.";

const metricsIntro =
  "What `/metrics` shows, in Prometheus' text format. Label values come from the configuration or from closed sets, never " +
  "from a request. Durations are in seconds.";

const limitsIntro =
  "Bounds on what one body may hold, with their defaults. Set them per listener under `limits`. A body beyond one is refused.";

export const referencePages: readonly ReferencePage[] = [
  {
    path: "docs/errors.md",
    text: page(
      "Errors",
      errorsIntro,
      ["code", "status", "retry", "what it says", "what to do"],
      Object.entries(errorTable).map(([code, row]) => [
        `\`${code}\``,
        `${row.status}`,
        row.retryable ? "yes" : "no",
        row.text,
        row.advice,
      ]),
    ),
  },
  {
    path: "docs/metrics.md",
    text: page(
      "Metrics",
      metricsIntro,
      ["name", "kind", "labels", "what it counts"],
      Object.entries(metricTable).map(([name, row]) => [`\`${name}\``, row.kind, row.labels.join(", "), row.help]),
    ),
  },
  {
    path: "docs/limits.md",
    text: page(
      "Limits",
      limitsIntro,
      ["name", "default", "what it bounds"],
      Object.entries(limitTable).map(([name, row]) => [
        `\`${name}\``,
        row.unit === "bytes" ? formatSize(row.default) : `${row.default}`,
        row.help,
      ]),
    ),
  },
];
