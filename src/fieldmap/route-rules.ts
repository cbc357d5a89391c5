import type { BuiltField } from "./built-fields.ts";
import { lastName } from "./json-path.ts";
import type { MapFindings } from "./map-findings.ts";
import { brokenMap } from "./map-rules.ts";
import type { FieldMapFile, RouteFile } from "./map-schema.ts";
import { checkRouteRecord, routeRecord } from "./record-rules.ts";
import { captureNames, type RoutePattern } from "./route-pattern.ts";

/** One route of the file with its compiled pattern. */
export interface RouteInFile {
  readonly index: number;
  readonly file: RouteFile;
  readonly pattern: RoutePattern;
}

/** Rules on one route, apart from what its selectors select. */
export function checkRoute(
  findings: MapFindings,
  map: { readonly file: FieldMapFile; readonly fields: readonly BuiltField[] },
  route: RouteInFile,
): void {
  const at = ["routes", route.index];
  const { match, passthrough, request, response } = route.file;
  const captures = captureNames(route.pattern);

  for (const [index, method] of (match.methods ?? []).entries()) {
    if (match.methods?.indexOf(method) !== index) findings.problem([...at, "match", "methods", index], methodTwice);
  }
  for (const name of Object.keys(match.captures ?? {})) {
    if (!captures.includes(name)) findings.problem([...at, "match", "captures", name], captureUnknown(name), "key");
  }
  const others = [request, response, route.file.record, route.file.whenAbsent, route.file.query];
  if (passthrough !== undefined && others.some((other) => other !== undefined)) {
    findings.problem([...at, "passthrough"], passthroughAndMore, "key");
  }
  if (passthrough === undefined && request === undefined && response === undefined) findings.problem(at, withoutRule);
  if (passthrough === undefined) checkRouteRecord(findings, map.file, { file: route.file, at, captures });

  const { tenant } = map.file;
  if ("path" in tenant && passthrough === undefined && !captures.includes(tenant.path)) {
    findings.problem([...at, "match", "path"], tenantCapture(tenant.path));
  }
  const nameless = map.fields.find(({ path }) => lastName(path) === undefined);
  if (request !== undefined && "pass" in request && nameless !== undefined) {
    findings.problem([...at, "request", "pass"], passWithoutName(nameless.field.path), "key");
  }
  checkReopen(findings, map, route);
}

/** Sealed input is opened and sealed anew only under a record: else it could be carried from one record to another. */
function checkReopen(
  findings: MapFindings,
  map: { readonly file: FieldMapFile; readonly fields: readonly BuiltField[] },
  { file, pattern }: RouteInFile,
): void {
  if (file.request === undefined || !("seal" in file.request)) return;
  if (routeRecord(map.file, file, captureNames(pattern)).rule.sources.length > 0) return;
  for (const [index, { field }] of map.fields.entries()) {
    if (field.sealedInput === "reopen" && field.mode === "randomized") {
      findings.problem(["fields", index, "sealedInput"], reopenUnbound(pattern.text));
    }
  }
}

const methodTwice = brokenMap("method-twice", "This method stands twice.", "Remove one of them.");
const passthroughAndMore = brokenMap(
  "route-contradiction",
  "A passthrough route is not read, so it cannot have another rule.",
  "Keep passthrough or the other rules.",
);
const withoutRule = brokenMap(
  "route-without-rule",
  "This route says nothing of what to do.",
  "Add request, response or passthrough: true.",
);
const captureUnknown = (name: string) =>
  brokenMap(
    "capture-unknown",
    `The route's path has no capture ${name}.`,
    `Write {${name}} in the path, or remove this.`,
  );
const tenantCapture = (name: string) =>
  brokenMap(
    "tenant-capture",
    `The tenant stands in the capture ${name}, which this route's path does not have.`,
    `Write {${name}} in the path, or make the route passthrough.`,
  );
const passWithoutName = (path: string) =>
  brokenMap(
    "pass-without-name",
    `The field ${path} has no name by which a passing request could be searched for it.`,
    "Seal on this route, or map the field by a name.",
  );
const reopenUnbound = (pattern: string) =>
  brokenMap(
    "reopen-unbound",
    `Sealed input is reopened only under a record, and the route ${pattern} binds none.`,
    "Name a record for the route, or remove sealedInput.",
  );
