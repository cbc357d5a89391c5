import { normalisedSelector, type JsonPath, type Segment } from "../../src/fieldmap/json-path.ts";
import type { LocatedValue } from "../../src/fieldmap/locate-values.ts";

type Step = string | number;

interface Location {
  readonly steps: readonly Step[];
  readonly value: unknown;
}

/** Every value of a document with its location, in document order. */
function locations(value: unknown, steps: readonly Step[] = []): Location[] {
  const here = { steps, value };
  if (Array.isArray(value)) return [here, ...value.flatMap((element, index) => locations(element, [...steps, index]))];
  if (typeof value !== "object" || value === null) return [here];
  return [here, ...Object.entries(value).flatMap(([name, member]) => locations(member, [...steps, name]))];
}

const text = (steps: readonly Step[]): string =>
  `$${steps.map((step) => normalisedSelector(typeof step === "number" ? { kind: "index", index: step } : { kind: "name", name: step })).join("")}`;

/** `blocked(n)`: a wildcard may not take step `n`. */
function matches(
  segments: readonly Segment[],
  steps: readonly Step[],
  blocked: (step: number) => boolean,
  at = 0,
): boolean {
  const [segment, ...rest] = segments;
  if (segment === undefined) return at === steps.length;
  const step = steps[at];
  if (step === undefined) return false;
  const { selector, descendant } = segment;
  const taken =
    selector.kind === "name"
      ? selector.name === step
      : selector.kind === "index"
        ? selector.index === step
        : !blocked(at);
  return (taken && matches(rest, steps, blocked, at + 1)) || (descendant && matches(segments, steps, blocked, at + 1));
}

/** What a plan selects, worked out location by location with no automaton: the specification that the plan is held against. */
export function naivePlan(
  paths: {
    readonly documents: readonly JsonPath[];
    readonly fields: readonly JsonPath[];
    readonly records: readonly JsonPath[];
  },
  body: unknown,
): LocatedValue[] {
  const documents: (readonly Step[])[] = [];
  const fields: (readonly Step[])[] = [];
  const found: LocatedValue[] = [];
  const inside = (outer: readonly Step[], inner: readonly Step[]): boolean =>
    outer.length < inner.length && outer.every((step, index) => step === inner[index]);

  for (const { steps, value } of locations(body)) {
    if (fields.some((field) => inside(field, steps))) continue;
    const around = documents.filter((document) => inside(document, steps));
    const select = (kind: "field" | "record", list: readonly JsonPath[]): number => {
      let hits = 0;
      for (const document of around) {
        for (const [index, { segments }] of list.entries()) {
          if (!matches(segments, steps.slice(document.length), () => false)) continue;
          hits += 1;
          found.push({ kind, index, location: text(steps), document: text(document) });
        }
      }
      return hits;
    };
    if (select("field", paths.fields) > 0) {
      fields.push(steps);
      continue;
    }
    select("record", paths.records);
    const isDocument = (prefix: readonly Step[]): boolean => documents.some((one) => text(one) === text(prefix));
    const selected = paths.documents.some(({ segments }) =>
      matches(segments, steps, (at) => typeof steps[at] === "string" && isDocument(steps.slice(0, at))),
    );
    if (selected && typeof value === "object" && value !== null && !Array.isArray(value)) {
      documents.push(steps);
      found.push({ kind: "document", index: 0, location: text(steps), document: text(steps) });
    }
  }
  return found;
}
