import { normalisedPath, type JsonPath } from "./json-path.ts";
import { parsePath } from "./parse-path.ts";
import type { FieldFile } from "./map-schema.ts";
import type { Field } from "./types.ts";

/** A field with its compiled path. */
export interface BuiltField {
  readonly field: Field;
  readonly path: JsonPath;
}

/** A path that the schema has accepted already. */
export function acceptedPath(text: string): JsonPath {
  const parsed = parsePath(text);
  return parsed.kind === "path" ? parsed.path : { text, segments: [] };
}

/** A field with its defaults: the name is the normalised path; null is sealed unless the field is deterministic. */
export function buildField(file: FieldFile): BuiltField {
  const path = acceptedPath(file.path);
  const field: Field = Object.freeze({
    name: file.name ?? normalisedPath(path.segments),
    formerly: Object.freeze(file.formerly ?? []),
    path: file.path,
    mode: file.mode,
    pad: file.pad,
    optional: file.optional,
    nulls: file.mode === "deterministic" ? "pass" : (file.nulls ?? "seal"),
    phase: file.phase,
    sealedInput: file.sealedInput,
  });
  return { field, path };
}
