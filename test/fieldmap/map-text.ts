import type { JsonPath } from "../../src/fieldmap/json-path.ts";
import { loadFieldMap } from "../../src/fieldmap/load-field-map.ts";
import type { LoadedFieldMap } from "../../src/fieldmap/loaded-map.ts";
import { parsePath } from "../../src/fieldmap/parse-path.ts";

/** A path that is right. */
export function path(text: string): JsonPath {
  const parsed = parsePath(text);
  if (parsed.kind === "broken") throw new Error(`${text}: ${parsed.broken.fix}`);
  return parsed.path;
}

/** A field map file in YAML's JSON form, one setting a line: `fields` stand on line 6, `routes` on line 7. */
export function fieldMapText(settings: Readonly<Record<string, unknown>> = {}): string {
  const whole: Readonly<Record<string, unknown>> = {
    apiVersion: "sealwright.dev/v1",
    kind: "FieldMap",
    dataset: "patients",
    tenant: { constant: "t1" },
    record: "none",
    fields: [{ path: "$.ssn" }],
    routes: [{ match: { path: "/p" }, request: { seal: ["$"] } }],
    ...settings,
  };
  return Object.entries(whole)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${JSON.stringify(value).replaceAll("\u007f", "\\u007f")}\n`)
    .join("");
}

/** A map that loads. */
export function fieldMap(settings: Readonly<Record<string, unknown>> = {}): LoadedFieldMap {
  const { map, problems } = loadFieldMap({ path: "map.yaml", text: fieldMapText(settings) });
  if (map === undefined)
    throw new Error(problems.map(({ line, rule, message }) => `${line} ${rule}: ${message}`).join("\n"));
  return map;
}

/** Rules that a map breaks, as `line rule`. */
export function brokenRules(settings: Readonly<Record<string, unknown>>): string[] {
  return loadFieldMap({ path: "map.yaml", text: fieldMapText(settings) }).problems.map(
    ({ line, rule }) => `${line} ${rule}`,
  );
}
