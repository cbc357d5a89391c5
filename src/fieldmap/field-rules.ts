import type { BuiltField } from "./built-fields.ts";
import { acceptedPath } from "./built-fields.ts";
import { compilePlan } from "./document-plan.ts";
import type { MapFindings } from "./map-findings.ts";
import { brokenMap } from "./map-rules.ts";
import type { FieldMapFile } from "./map-schema.ts";
import type { RecordRule } from "./types.ts";

const noRecord: RecordRule = Object.freeze({ sources: [], whenAbsent: "unbound" });

/** Rules on the fields of a dataset among themselves, whatever the routes. True when they can be compiled. */
export function checkFields(findings: MapFindings, file: FieldMapFile, fields: readonly BuiltField[]): boolean {
  checkNames(findings, file, fields);
  checkDatasetNames(findings, file);
  const record = file.record === undefined || file.record === "none" ? [] : file.record;
  const compiled = compilePlan({
    documents: [{ text: "$", segments: [] }],
    fields: fields.map(({ path }) => path),
    record: noRecord,
    recordPaths: record.map((source) => (typeof source === "string" ? acceptedPath(source) : undefined)),
    names: file.names,
  });
  if (compiled.tooComplex) {
    findings.problem(["fields"], tooComplex, "key");
    return false;
  }
  for (const { broken, entry, other } of compiled.conflicts) {
    // One document has two sources at one place only when they are the same path, and that is a rule of its own.
    if (entry.kind === "record" && other.kind === "record") continue;
    findings.problem(entry.kind === "record" ? ["record", entry.index] : ["fields", entry.index, "path"], broken);
  }
  if (compiled.conflicts.length > 0) return false;
  for (const index of compiled.unreachable) findings.problem(["fields", index, "path"], neverMatches);
  return true;
}

function checkNames(findings: MapFindings, file: FieldMapFile, fields: readonly BuiltField[]): void {
  const owners = new Map<string, string>();
  for (const [index, { field }] of fields.entries()) {
    const own = file.fields[index]?.name === undefined ? "path" : "name";
    const names = [
      { name: field.name, at: ["fields", index, own] },
      ...field.formerly.map((name, former) => ({ name, at: ["fields", index, "formerly", former] })),
    ];
    for (const { name, at } of names) {
      const owner = owners.get(name);
      if (owner !== undefined) findings.problem(at, nameTwice(name, owner));
      owners.set(name, field.path);
    }
  }
}

function checkDatasetNames(findings: MapFindings, file: FieldMapFile): void {
  const seen = new Set([file.dataset]);
  for (const [index, name] of (file.formerly ?? []).entries()) {
    if (seen.has(name)) {
      const message = `The dataset's name ${name} stands twice.`;
      findings.problem(["formerly", index], brokenMap("dataset-twice", message, "Remove it from formerly."));
    }
    seen.add(name);
  }
}

const nameTwice = (name: string, owner: string) =>
  brokenMap(
    "field-name-twice",
    `The name ${name} belongs to the field ${owner} already, now or formerly.`,
    "Give every field a name of its own.",
  );
const neverMatches = brokenMap(
  "path-never-matches",
  "A document is an object, so a path that begins with an index meets nothing.",
  "Select the array's elements as documents in the route, and write the path from there.",
);

export const tooComplex = brokenMap(
  "map-too-complex",
  "These paths compile into more states than are allowed.",
  "Use fewer wildcards behind descendant segments.",
);
