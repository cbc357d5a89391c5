import type { BuiltField } from "./built-fields.ts";
import { acceptedPath } from "./built-fields.ts";
import { compilePlan } from "./document-plan.ts";
import { tooComplex } from "./field-rules.ts";
import { lastName } from "./json-path.ts";
import type { NamePolicy } from "./key-names.ts";
import type { LoadedRoute } from "./loaded-map.ts";
import type { MapFindings } from "./map-findings.ts";
import type { FieldMapFile, RouteFile } from "./map-schema.ts";
import { passGuide } from "./pass-guide.ts";
import { foldedPattern } from "./path-match.ts";
import type { PlanEntry } from "./plan-conflicts.ts";
import { queryNames } from "./query-names.ts";
import { routeRecord, type BuiltRecord } from "./record-rules.ts";
import { captureNames, type RoutePattern } from "./route-pattern.ts";
import type { YamlSource } from "../base/yaml/yaml-source.ts";
import type { Dataset, DocumentPlan, RequestRule, Route } from "./types.ts";

/** What every route of one map is built from. */
export interface RouteBuild {
  readonly source: YamlSource;
  readonly findings: MapFindings;
  readonly file: FieldMapFile;
  readonly dataset: Dataset;
  readonly fields: readonly BuiltField[];
}

/** Compiles one route; contradictions between its selectors and the fields go to the findings. */
export function buildRoute(build: RouteBuild, index: number, file: RouteFile, pattern: RoutePattern): LoadedRoute {
  const { dataset, source } = build;
  const record = routeRecord(build.file, file, captureNames(pattern));
  const place = { index, file, record };
  const { methods } = file.match;
  const route: Route = Object.freeze({
    label: `${dataset.name} ${methods?.join("|") ?? "*"} ${pattern.text}`,
    dataset,
    methods: methods && Object.freeze(methods),
    pattern: pattern.text,
    passthrough: file.passthrough === true,
    request: requestRule(build, place),
    open:
      file.response &&
      documentPlan(build, place, {
        selectors: file.response.open,
        at: ["response", "open"],
        names: dataset.names,
      }),
    namesInQuery: file.passthrough === true || file.query === "pass" ? undefined : queryNames(mappedNames(build)),
  });
  const captures = Object.keys(file.match.captures ?? {});
  return Object.freeze({
    route,
    pattern,
    folded: foldedPattern(pattern),
    methods: methods && new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))),
    encodedSlash: new Set(captures),
    place: source.at(["routes", index, "match", "path"]),
  });
}

interface RoutePlace {
  readonly index: number;
  readonly file: RouteFile;
  readonly record: BuiltRecord;
}

interface PlanPlace {
  readonly selectors: readonly string[];
  readonly at: readonly string[];
  readonly names: NamePolicy;
}

function requestRule(build: RouteBuild, place: RoutePlace): RequestRule {
  const { request } = place.file;
  if (request === undefined) return Object.freeze({ kind: "none" });
  const names: NamePolicy = build.dataset.names === "exact" ? "refuseVariants" : "ignoreCase";
  if ("seal" in request) {
    const plan = documentPlan(build, place, { selectors: request.seal, at: ["request", "seal"], names });
    return Object.freeze({ kind: "seal", plan });
  }
  return Object.freeze({ kind: "pass", guide: passGuide(mappedNames(build), names) });
}

/** The last name of every field's path. */
function mappedNames({ fields }: RouteBuild): readonly string[] {
  return [...new Set(fields.flatMap(({ path }) => lastName(path) ?? []))];
}

function documentPlan(build: RouteBuild, place: RoutePlace, { selectors, at, names }: PlanPlace): DocumentPlan {
  const {
    plan,
    conflicts,
    tooComplex: complex,
  } = compilePlan({
    documents: selectors.map(acceptedPath),
    fields: build.fields.map(({ path }) => path),
    record: place.record.rule,
    recordPaths: place.record.paths,
    names,
  });
  const route = ["routes", place.index];
  if (complex) build.findings.problem([...route, ...at], tooComplex);
  for (const { broken, entry } of conflicts) {
    build.findings.problem([...route, ...blame(place, entry, at)], broken);
  }
  return plan;
}

/** The fields were checked among themselves before: what is left is the route's own doing. */
function blame(place: RoutePlace, entry: PlanEntry, at: readonly string[]): (string | number)[] {
  if (entry.kind === "document") return [...at, entry.index];
  if (entry.kind === "record" && place.file.record !== undefined) return ["record", entry.index];
  return [...at];
}
