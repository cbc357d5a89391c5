import type { BuiltField } from "./built-fields.ts";
import { acceptedPath } from "./built-fields.ts";
import type { JsonPath } from "./json-path.ts";
import type { MapFindings } from "./map-findings.ts";
import type { FieldMapFile, RouteFile } from "./map-schema.ts";

/** What an operator should know of a map that is right. */
export function warnOfMap(findings: MapFindings, file: FieldMapFile, fields: readonly BuiltField[]): void {
  findings.warn(["fields"], "size-growth", sizeGrowth);
  for (const [index, { field, path }] of fields.entries()) {
    const at = ["fields", index];
    if (field.mode === "deterministic") findings.warn([...at, "mode"], "not-searchable-yet", notSearchable);
    if (field.phase === "migrate") findings.warn([...at, "phase"], "migrating", migrating);
    if (hasDescendant(path)) findings.warn([...at, "path"], "descendant-cost", descendantCost);
  }
  if (file.onOpenFailure === "keepSealed") findings.warn(["onOpenFailure"], "keep-sealed", keepSealed);
  for (const [index, route] of file.routes.entries()) {
    warnOfSelectors(findings, index, route);
    if (route.request !== undefined && "seal" in route.request) warnOfUnbound(findings, file, index);
  }
}

function warnOfSelectors(findings: MapFindings, index: number, { request, response }: RouteFile): void {
  const lists = [
    { at: ["request", "seal"], selectors: request !== undefined && "seal" in request ? request.seal : [] },
    { at: ["response", "open"], selectors: response?.open ?? [] },
  ];
  for (const { at, selectors } of lists) {
    for (const [position, selector] of selectors.entries()) {
      if (!hasDescendant(acceptedPath(selector))) continue;
      findings.warn(["routes", index, ...at, position], "descendant-cost", descendantCost);
    }
  }
}

/** Points at the setting that leaves values unbound on a route that seals: the route's own, or the map's. */
function warnOfUnbound(findings: MapFindings, file: FieldMapFile, index: number): void {
  const route = file.routes[index];
  if (route === undefined) return;
  const record = route.record ?? file.record;
  if (record === undefined) findings.warn(["dataset"], "unbound-values", unbound);
  else if (record === "none") {
    findings.warn(route.record === undefined ? ["record"] : ["routes", index, "record"], "unbound-values", unbound);
  } else if ((route.whenAbsent ?? file.whenAbsent) === "unbound") {
    const at = route.whenAbsent === undefined ? ["whenAbsent"] : ["routes", index, "whenAbsent"];
    findings.warn(at, "unbound-values", unbound);
  }
}

function hasDescendant({ segments }: JsonPath): boolean {
  return segments.some(({ descendant }) => descendant);
}

const sizeGrowth = {
  message:
    "Sealed values are longer: 11 characters become 100 in keyring form and several hundred in inline form, and numbers become strings.",
  fix: "Look whether the store's columns, indexes and schemas take that.",
};
const notSearchable = {
  message:
    "Equal values of this field seal equal within a tenant, but no query is rewritten yet: it is not searchable.",
  fix: "Use randomized unless the store itself compares sealed values.",
};
const migrating = {
  message: "Clear values of this field pass on answers (counted) until phase is enforce.",
  fix: "Set phase: enforce once no clear value is left.",
};
const descendantCost = {
  message: "A descendant segment looks at every key below it, and its name is refused or mapped at any depth.",
  fix: "Write the path out where it is known.",
};
const keepSealed = {
  message: "A value that cannot be opened reaches the app as sealed text (counted).",
  fix: "Use refuse unless one bad value must not hide a list.",
};
const unbound = {
  message:
    "Values sealed here are bound to no record: who can write to the store can move them between records of a tenant.",
  fix: "Name a record whose id is known when documents are written.",
};
