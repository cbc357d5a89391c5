import { inReadingOrder, type Problem } from "../base/yaml/problem.ts";
import type { ConfigFile } from "../base/yaml/config-file.ts";
import { readYaml, type YamlSource } from "../base/yaml/yaml-source.ts";
import { checkShape } from "../base/yaml/zod-problems.ts";
import { buildField, type BuiltField } from "./built-fields.ts";
import { buildRoute } from "./built-routes.ts";
import { checkFields } from "./field-rules.ts";
import type { LoadedFieldMap } from "./loaded-map.ts";
import { MapFindings } from "./map-findings.ts";
import { fieldMapSchema, type FieldMapFile } from "./map-schema.ts";
import { warnOfMap } from "./map-warnings.ts";
import { checkMapRecord, routeRecord } from "./record-rules.ts";
import { captureNames, parsePattern } from "./route-pattern.ts";
import { checkRoute, type RouteInFile } from "./route-rules.ts";
import { routeTies } from "./route-ties.ts";
import type { Dataset, TenantSource } from "./types.ts";

/** A map, when nothing is wrong with it, and everything that is. */
export interface FieldMapLoad {
  readonly map: LoadedFieldMap | undefined;
  /** In reading order. Not empty = no map. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Reads, checks and compiles one field map file. Never throws: whatever is wrong is a problem with its place and a fix. */
export function loadFieldMap(file: ConfigFile): FieldMapLoad {
  const source = readYaml(file);
  const shape = checkShape(source, fieldMapSchema);
  if (shape.value === undefined) return failed([...source.problems, ...shape.problems]);
  const findings = new MapFindings(source);
  const map = checkedMap(source, findings, shape.value);
  const problems = [...source.problems, ...findings.problems];
  return problems.length > 0 || map === undefined
    ? failed(problems)
    : { map, problems: [], warnings: inReadingOrder(findings.warnings) };
}

function failed(problems: readonly Problem[]): FieldMapLoad {
  return { map: undefined, problems: inReadingOrder(problems), warnings: [] };
}

function checkedMap(source: YamlSource, findings: MapFindings, file: FieldMapFile): LoadedFieldMap | undefined {
  const fields = file.fields.map(buildField);
  const routes = routesInFile(file);
  const sound = checkFields(findings, file, fields);
  checkMapRecord(findings, file, new Set(routes.flatMap(({ pattern }) => captureNames(pattern))));
  for (const route of routes) checkRoute(findings, { file, fields }, route);
  // Selectors can only be judged where the fields below them make sense.
  if (!sound) return undefined;

  const dataset = buildDataset(source.file, file, fields);
  const build = { source, findings, file, dataset, fields };
  const storedRecord = routeRecord(file, {}, []);
  const map: LoadedFieldMap = Object.freeze({
    file: source.file,
    dataset,
    routes: Object.freeze(routes.map((route) => buildRoute(build, route.index, route.file, route.pattern))),
    storedRecord,
    recordOnlyInPaths: (file.record ?? "none") !== "none" && storedRecord.rule.sources.length === 0,
    place: source.at(["dataset"]),
  });
  findings.problems.push(...routeTies([map]));
  warnOfMap(findings, file, fields);
  return map;
}

function routesInFile(file: FieldMapFile): RouteInFile[] {
  return file.routes.flatMap((route, index) => {
    const parsed = parsePattern(route.match.path);
    return parsed.kind === "pattern" ? [{ index, file: route, pattern: parsed.pattern }] : [];
  });
}

function buildDataset(path: string, file: FieldMapFile, fields: readonly BuiltField[]): Dataset {
  return Object.freeze({
    name: file.dataset,
    formerly: Object.freeze(file.formerly ?? []),
    fields: Object.freeze(fields.map(({ field }) => field)),
    tenant: tenantSource(file.tenant),
    names: file.names,
    onOpenFailure: file.onOpenFailure,
    file: path,
  });
}

function tenantSource(tenant: FieldMapFile["tenant"]): TenantSource {
  if ("header" in tenant) return Object.freeze({ kind: "header", name: tenant.header.toLowerCase() });
  if ("constant" in tenant) return Object.freeze({ kind: "constant", tenant: tenant.constant });
  return Object.freeze({ kind: "path", capture: tenant.path });
}
