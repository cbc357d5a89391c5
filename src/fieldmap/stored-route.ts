import { SealwrightError } from "../base/sealwright-error.ts";
import { acceptedPath } from "./built-fields.ts";
import { compilePlan } from "./document-plan.ts";
import { isSingular, type JsonPath } from "./json-path.ts";
import type { NamePolicy } from "./key-names.ts";
import type { LoadedFieldMap } from "./loaded-map.ts";
import { parsePath } from "./parse-path.ts";
import type { BuiltRecord } from "./record-rules.ts";
import type { Dataset, DocumentPlan, Field, Route } from "./types.ts";

/** How documents stand in a file, beyond what their field map says. */
export interface StoredDocuments {
  /** Document selectors, from the root of the file or of each of its lines. */
  readonly documents: readonly string[];
  /** Paths of the record's sources in a document; `none` = values are bound to no record; absent = the map's own. */
  readonly record?: readonly string[] | "none" | undefined;
  /** Values of mapped fields that are not sealed pass as they are, when opened or sealed anew. */
  readonly clearValues: "refuse" | "pass";
}

/**
 * A route that no request takes: seals and opens stored documents by the fields of their map. Null and shapes are treated as on
 * the wire; what cannot be opened is refused, whatever the map says of answers.
 * Throws `usage` for selectors and record sources that are none, contradict the map or are missing.
 */
export function storedRoute(map: LoadedFieldMap, stored: StoredDocuments): Route {
  const dataset = storedDataset(map.dataset, stored.clearValues);
  const documents = stored.documents.map((text) => pathOf("documents", text));
  const record = recordOf(map, stored.record);
  const plan = (names: NamePolicy): DocumentPlan => compiled(dataset, { documents, record, names });
  return Object.freeze({
    label: `${dataset.name} stored`,
    dataset,
    methods: undefined,
    pattern: "",
    passthrough: false,
    request: Object.freeze({ kind: "seal", plan: plan(dataset.names === "exact" ? "refuseVariants" : "ignoreCase") }),
    open: plan(dataset.names),
    namesInQuery: undefined,
  });
}

interface PlanParts {
  readonly documents: readonly JsonPath[];
  readonly record: BuiltRecord;
  readonly names: NamePolicy;
}

function compiled(dataset: Dataset, { documents, record, names }: PlanParts): DocumentPlan {
  const fields = dataset.fields.map(({ path }) => acceptedPath(path));
  const { plan, conflicts, tooComplex } = compilePlan({
    documents,
    fields,
    record: record.rule,
    recordPaths: record.paths,
    names,
  });
  if (tooComplex) throw usage("--documents and the fields are too many to be matched at once");
  const [conflict] = conflicts;
  if (conflict !== undefined)
    throw usage(`--documents and --record-from do not fit the field map: ${conflict.broken.rule}`);
  return plan;
}

function recordOf(map: LoadedFieldMap, record: StoredDocuments["record"]): BuiltRecord {
  const { whenAbsent } = map.storedRecord.rule;
  if (record === "none") return { rule: Object.freeze({ sources: [], whenAbsent }), paths: [] };
  if (record !== undefined) {
    const paths = record.map((text) => pathOf("record-from", text));
    if (!paths.every(isSingular)) throw usage("--record-from takes a path of names and indexes only");
    const sources = record.map((path) => Object.freeze({ kind: "document" as const, path }));
    return { rule: Object.freeze({ sources: Object.freeze(sources), whenAbsent }), paths };
  }
  if (map.recordOnlyInPaths)
    throw usage("--record-from is needed: the field map takes the record from the request's path, which a file lacks");
  return map.storedRecord;
}

function storedDataset(dataset: Dataset, clearValues: StoredDocuments["clearValues"]): Dataset {
  const phase = (field: Field): Field =>
    clearValues === "pass" ? Object.freeze({ ...field, phase: "migrate" }) : field;
  return Object.freeze({ ...dataset, onOpenFailure: "refuse", fields: Object.freeze(dataset.fields.map(phase)) });
}

function pathOf(option: string, text: string): JsonPath {
  const parsed = parsePath(text);
  if (parsed.kind === "path") return parsed.path;
  throw usage(`--${option} takes paths such as $ or $.items[*]; this one breaks at character ${parsed.character + 1}`);
}

function usage(reason: string): SealwrightError {
  return new SealwrightError("usage", { reason });
}
