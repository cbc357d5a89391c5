import { isSingular, normalisedPath, type JsonPath } from "./json-path.ts";
import { acceptedPath } from "./built-fields.ts";
import type { MapFindings } from "./map-findings.ts";
import { brokenMap } from "./map-rules.ts";
import type { FieldMapFile, RecordFile, RouteFile } from "./map-schema.ts";
import type { RecordRule, RecordSource } from "./types.ts";

/** A record rule with the compiled paths of its sources, index by index. */
export interface BuiltRecord {
  readonly rule: RecordRule;
  readonly paths: readonly (JsonPath | undefined)[];
}

/** Rules that a list of record sources keeps by itself. */
function checkRecordSources(
  findings: MapFindings,
  record: RecordFile | undefined,
  at: readonly (string | number)[],
): void {
  if (record === undefined || record === "none") return;
  const seen = new Set<string>();
  for (const [index, source] of record.entries()) {
    const path = typeof source === "string" ? acceptedPath(source) : undefined;
    if (path !== undefined && !isSingular(path)) {
      findings.problem([...at, index], notSingular);
    }
    const spelling = JSON.stringify(path === undefined ? source : normalisedPath(path.segments));
    if (seen.has(spelling)) findings.problem([...at, index], twice);
    seen.add(spelling);
  }
}

/**
 * The record rule of one route: its own or the map's, and of the map's sources those that the route has a capture for.
 */
export function routeRecord(
  file: FieldMapFile,
  route: Pick<RouteFile, "record" | "whenAbsent">,
  captures: readonly string[],
): BuiltRecord {
  const record = route.record ?? file.record ?? "none";
  const whenAbsent = route.whenAbsent ?? file.whenAbsent ?? "refuse";
  const written = record === "none" ? [] : record;
  const applying = written.filter((source) => typeof source === "string" || captures.includes(source.path));
  const sources = applying.map((source): RecordSource =>
    Object.freeze(
      typeof source === "string"
        ? { kind: "document" as const, path: source }
        : { kind: "path" as const, capture: source.path },
    ),
  );
  return {
    rule: Object.freeze({ sources: Object.freeze(sources), whenAbsent }),
    paths: applying.map((source) => (typeof source === "string" ? acceptedPath(source) : undefined)),
  };
}

/** Rules on the map's own record: every capture it names is in some route, and `whenAbsent` has something to be absent. */
export function checkMapRecord(findings: MapFindings, file: FieldMapFile, captures: ReadonlySet<string>): void {
  checkRecordSources(findings, file.record, ["record"]);
  const none = file.record === undefined || file.record === "none";
  if (none && file.whenAbsent !== undefined) findings.problem(["whenAbsent"], nothingToBeAbsent, "key");
  if (file.record === undefined || file.record === "none") return;
  for (const [index, source] of file.record.entries()) {
    if (typeof source === "string" || captures.has(source.path)) continue;
    findings.problem(["record", index], unknownCapture(source.path, "no route's path has it"));
  }
}

/** Rules on what one route says of its record, and on what is left of the map's record there. */
export function checkRouteRecord(
  findings: MapFindings,
  file: FieldMapFile,
  route: { readonly file: RouteFile; readonly at: readonly (string | number)[]; readonly captures: readonly string[] },
): void {
  const { at, captures } = route;
  const { record, whenAbsent, request, response } = route.file;
  const reads = response !== undefined || (request !== undefined && "seal" in request);
  checkRecordSources(findings, record, [...at, "record"]);
  if (!reads && route.file.passthrough === undefined) {
    for (const key of ["record", "whenAbsent"] as const) {
      if (route.file[key] !== undefined) findings.problem([...at, key], withoutUse, "key");
    }
    return;
  }
  if (whenAbsent !== undefined && (record ?? file.record ?? "none") === "none") {
    findings.problem([...at, "whenAbsent"], nothingToBeAbsent, "key");
  }
  if (record !== undefined && record !== "none") {
    for (const [index, source] of record.entries()) {
      if (typeof source === "string" || captures.includes(source.path)) continue;
      findings.problem([...at, "record", index], unknownCapture(source.path, "this route's path does not have it"));
    }
    return;
  }
  const { rule } = routeRecord(file, route.file, captures);
  const inherits = record === undefined && file.record !== undefined && file.record !== "none";
  if (reads && inherits && rule.sources.length === 0 && rule.whenAbsent === "refuse") {
    findings.problem([...at, "match", "path"], noSource);
  }
}

const notSingular = brokenMap(
  "record-not-singular",
  "This path can select several values, and a document has one record.",
  "Write a path of names and indexes only.",
);
const twice = brokenMap("record-twice", "This source stands twice.", "Remove one of them.");
const nothingToBeAbsent = brokenMap(
  "record-contradiction",
  "whenAbsent says what to do when the record is absent, but no record is named here.",
  "Remove whenAbsent, or name the record's sources.",
);
const withoutUse = brokenMap(
  "record-contradiction",
  "This route neither seals nor opens, so it has no use for a record.",
  "Remove it.",
);
const noSource = brokenMap(
  "record-without-route",
  "None of the record's sources exists on this route: every bound value would be refused.",
  "Give the route a record of its own, record: none, or whenAbsent: unbound.",
);
const unknownCapture = (name: string, why: string) =>
  brokenMap(
    "record-capture",
    `The record names the capture ${name}, but ${why}.`,
    `Write {${name}} in the route's path.`,
  );
