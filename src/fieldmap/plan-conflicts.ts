import type { Segment } from "./json-path.ts";
import { brokenMap, type BrokenMapRule } from "./map-rules.ts";
import { isComplete, nextSegment, type PathPosition, type PlanPaths, type Positions } from "./plan-positions.ts";

/** One path of a plan, for saying where it stands in the file. */
export interface PlanEntry {
  readonly kind: PathPosition["kind"];
  readonly index: number;
}

/** Two paths of one plan that contradict each other. */
export interface PlanConflict {
  readonly broken: BrokenMapRule;
  /** The one to blame: the later of two equals. */
  readonly entry: PlanEntry;
  readonly other: PlanEntry;
}

export type Expected = "object" | "array" | "either" | undefined;

/**
 * What a container at this value must be for the fields whose paths go on through it; "conflict" when two need different
 * things. A descendant's search needs nothing: it takes values as it finds them.
 */
export function expectedContainer(paths: PlanPaths, positions: Positions): Expected | "conflict" {
  let expected: Expected;
  for (const position of positions.list) {
    const segment = position.kind === "field" ? nextSegment(paths, position) : undefined;
    if (segment === undefined || segment.descendant) continue;
    const needs = containerOf(segment);
    if (needs === "either") expected ??= "either";
    else if (expected === undefined || expected === "either" || expected === needs) expected = needs;
    else return "conflict";
  }
  return expected;
}

function containerOf(segment: Segment): "object" | "array" | "either" {
  if (segment.selector.kind === "name") return "object";
  return segment.selector.kind === "index" ? "array" : "either";
}

/**
 * Contradictions at one value. Something stands "inside" a field when a segment of its path ends at the field; what only a
 * descendant's search would find in there is no contradiction: the outer field is sealed whole, and that with it.
 */
export function conflictsAt(paths: PlanPaths, positions: Positions): PlanConflict[] {
  const conflicts: PlanConflict[] = [];
  const complete = positions.list.filter((position) => isComplete(paths, position));
  const passing = positions.list.filter((position) => !isComplete(paths, position) && !position.searching);
  for (const [at, position] of complete.entries()) {
    for (const other of complete.slice(at + 1)) conflicts.push(...bothSelect(paths, position, other));
    for (const other of passing) conflicts.push(...passesThrough(paths, position, other));
  }
  const expected = expectedContainer(paths, positions);
  if (expected === "conflict" || (expected === "array" && positions.document)) {
    conflicts.push(...shapeConflict(paths, positions));
  }
  return conflicts;
}

function bothSelect(paths: PlanPaths, a: PathPosition, b: PathPosition): PlanConflict[] {
  const kinds = new Set([a.kind, b.kind]);
  const [first, second] = inOrder(a, b);
  const text = textOf(paths, first);
  if (kinds.has("document")) {
    if (kinds.size === 1) return [conflict(second, first, documentOverlap(text))];
    const [document, inner] = first.kind === "document" ? [first, second] : [second, first];
    return [conflict(document, inner, documentInField(textOf(paths, inner)))];
  }
  if (kinds.size === 2) {
    const [record, field] = first.kind === "record" ? [first, second] : [second, first];
    return [conflict(record, field, recordInField(textOf(paths, field)))];
  }
  return [conflict(second, first, first.kind === "field" ? fieldOverlap(text) : recordOverlap(text))];
}

function passesThrough(paths: PlanPaths, outer: PathPosition, inner: PathPosition): PlanConflict[] {
  const text = textOf(paths, outer);
  if (outer.kind === "document") return [];
  if (outer.kind === "record" && inner.kind === "record") return [];
  // `$..a.a` meets itself inside itself: the outer one wins, as for any descendant.
  if (outer.kind === inner.kind && outer.index === inner.index) return [];
  if (inner.kind === "document") return [conflict(inner, outer, documentInField(text))];
  if (inner.kind === "record") return [conflict(inner, outer, recordInField(text))];
  return [conflict(inner, outer, outer.kind === "field" ? fieldOverlap(text) : recordInField(text))];
}

function shapeConflict(paths: PlanPaths, positions: Positions): PlanConflict[] {
  const fields = positions.list.filter((position) => {
    const segment = position.kind === "field" ? nextSegment(paths, position) : undefined;
    return segment !== undefined && !segment.descendant && segment.selector.kind !== "wildcard";
  });
  const [first, ...rest] = fields;
  if (first === undefined) return [];
  const needs = nextSegment(paths, first);
  const other = rest.find((position) => nextSegment(paths, position)?.selector.kind !== needs?.selector.kind);
  const document = positions.list.find((position) => position.kind === "document" && isComplete(paths, position));
  const against = other ?? document;
  if (against === undefined) return [];
  const [earlier, later] = against.kind === "document" ? [against, first] : inOrder(first, against);
  const message = `A container on this path would have to be an object and an array, because of ${textOf(paths, earlier)}.`;
  return [conflict(later, earlier, brokenMap("field-shape", message, "Mend the path that is wrong."))];
}

function inOrder(a: PathPosition, b: PathPosition): [PathPosition, PathPosition] {
  return a.index <= b.index ? [a, b] : [b, a];
}

function conflict(entry: PathPosition, other: PathPosition, broken: BrokenMapRule): PlanConflict {
  return {
    broken,
    entry: { kind: entry.kind, index: entry.index },
    other: { kind: other.kind, index: other.index },
  };
}

function textOf(paths: PlanPaths, position: PathPosition): string {
  return paths[position.kind][position.index]?.text ?? "";
}

const fieldOverlap = (other: string): BrokenMapRule =>
  brokenMap(
    "field-overlap",
    `This path and ${other} can select the same value, or one inside the other.`,
    "Keep one of them, or make the paths disjoint.",
  );
const recordInField = (field: string): BrokenMapRule =>
  brokenMap(
    "record-in-field",
    `The record's source and the field ${field} are, or are inside, the same value.`,
    "Take the record from a value that stays in clear.",
  );
const recordOverlap = (other: string): BrokenMapRule =>
  brokenMap(
    "record-overlap",
    `This record source and ${other} can be the same value for two documents.`,
    "Keep one of them, or select the documents apart.",
  );
const documentInField = (field: string): BrokenMapRule =>
  brokenMap(
    "document-in-field",
    `This selector enters ${field}, which is sealed as one value or is a record.`,
    "Select documents outside of fields and records.",
  );
const documentOverlap = (other: string): BrokenMapRule =>
  brokenMap(
    "document-overlap",
    `This selector and ${other} can select the same document.`,
    "Keep one of them, or make the selectors disjoint.",
  );
