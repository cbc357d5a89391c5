import type { JsonPath, Segment } from "./json-path.ts";

/**
 * A place in one path while a document is walked: `at` segments are done at the present value. The selectors of documents
 * start at the body's root; fields and record sources start anew in every document.
 */
export interface PathPosition {
  readonly kind: "document" | "field" | "record";
  /** Index into the plan's selectors, fields or record sources. */
  readonly index: number;
  readonly at: number;
  /** How many documents around the value, counted from the inside, until the one that the path started in. */
  readonly documentsUp: number;
  /** Only a descendant segment's search led here: no segment ends at this value. */
  readonly searching: boolean;
}

/** The paths that a plan walks, by kind and index. */
export interface PlanPaths {
  readonly document: readonly JsonPath[];
  readonly field: readonly JsonPath[];
  /** Record sources by index into the rule; `undefined` where a source is in the request's path. */
  readonly record: readonly (JsonPath | undefined)[];
}

/** One step of a walk: into a member (by what its name compares as) or an element. */
export type Step =
  | { readonly kind: "member"; readonly name: string | undefined }
  | { readonly kind: "element"; readonly index: number | undefined };

/** Positions at one value: what a state of the plan is made of. */
export interface Positions {
  readonly list: readonly PathPosition[];
  /** The value is a document if it is an object. */
  readonly document: boolean;
}

function segmentsOf(paths: PlanPaths, position: PathPosition): readonly Segment[] {
  return paths[position.kind][position.index]?.segments ?? [];
}

/** The whole path is done: it selects the present value. */
export function isComplete(paths: PlanPaths, position: PathPosition): boolean {
  return position.at === segmentsOf(paths, position).length;
}

/** The segment that comes next. */
export function nextSegment(paths: PlanPaths, position: PathPosition): Segment | undefined {
  return segmentsOf(paths, position)[position.at];
}

/** Positions at the body's root. */
export function rootPositions(paths: PlanPaths): Positions {
  const start = paths.document.map((_, index) => ({ kind: "document" as const, index, ...atStart }));
  return gather(paths, start);
}

/** Positions that a document's fields and record sources have at the document itself. */
export function documentPositions(paths: PlanPaths): PathPosition[] {
  return [
    ...paths.field.map((_, index) => ({ kind: "field" as const, index, ...atStart })),
    ...paths.record.flatMap((path, index) =>
      path === undefined ? [] : [{ kind: "record" as const, index, ...atStart }],
    ),
  ];
}

const atStart = { at: 0, documentsUp: 0, searching: false };

/** Where the positions at one value lead in one step. `same` compares names as the map does. */
export function afterStep(
  paths: PlanPaths,
  from: Positions,
  step: Step,
  same: (a: string, b: string) => boolean,
): Positions {
  // A member exists only in an object, and an object where a document may be is one: its paths start here.
  const entersDocument = from.document && step.kind === "member";
  const live = entersDocument
    ? [
        ...from.list.map((position) =>
          position.kind === "document" ? position : { ...position, documentsUp: position.documentsUp + 1 },
        ),
        ...documentPositions(paths),
      ]
    : from.list;
  const after: PathPosition[] = [];
  for (const position of live) {
    const segment = nextSegment(paths, position);
    if (segment === undefined) continue;
    if (segment.descendant) after.push({ ...position, searching: true });
    const { selector } = segment;
    const matches =
      selector.kind === "name"
        ? step.kind === "member" && step.name !== undefined && same(selector.name, step.name)
        : selector.kind === "index"
          ? step.kind === "element" && step.index === selector.index
          : // In `[$, "$[*]"]` the wildcard is for a list of documents, not for the members of the document `$`.
            !(entersDocument && position.kind === "document");
    if (matches) after.push({ ...position, at: position.at + 1, searching: false });
  }
  return gather(paths, after);
}

/** The same positions in one order, each once; what a segment led to hides what a search led to. */
function gather(paths: PlanPaths, positions: readonly PathPosition[]): Positions {
  const byKey = new Map<string, PathPosition>();
  for (const position of positions) {
    const key = `${position.kind[0] ?? ""}${position.index}.${position.at}.${position.documentsUp}`;
    const known = byKey.get(key);
    if (known === undefined || known.searching) byKey.set(key, position);
  }
  const list = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, position]) => position);
  return {
    list,
    document: list.some((position) => position.kind === "document" && isComplete(paths, position)),
  };
}

/** One text per set of positions, so that equal sets become one state. */
export function positionsKey({ list }: Positions): string {
  return list
    .map(
      ({ kind, index, at, documentsUp, searching }) =>
        `${kind[0] ?? ""}${index}.${at}.${documentsUp}${searching ? "?" : ""}`,
    )
    .join(" ");
}
