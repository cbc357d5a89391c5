import { dirname, isAbsolute, join, resolve } from "node:path";
import { hasCode } from "../../base/sealwright-error.ts";
import { readConfigFile } from "../../base/yaml/config-file.ts";
import { inReadingOrder, type Problem } from "../../base/yaml/problem.ts";
import { readYaml } from "../../base/yaml/yaml-source.ts";
import { checkShape } from "../../base/yaml/zod-problems.ts";
import { loadFieldMap, type FieldMapLoad } from "../../fieldmap/load-field-map.ts";
import type { LoadedFieldMap } from "../../fieldmap/loaded-map.ts";
import { createRouteTable, type CreatedRouteTable } from "../../fieldmap/route-table.ts";
import { breachProblems, type Breach } from "./breach.ts";
import { buildSidecar } from "./build-sidecar.ts";
import { ConfigProblems } from "./config-problems.ts";
import { contradictionBreaches } from "./contradiction-rules.ts";
import { exposureBreaches } from "./exposure-rules.ts";
import { fieldMapBreaches, type ListedMap } from "./field-map-rules.ts";
import { fileFindings } from "./file-rules.ts";
import { kmsBreaches } from "./kms-rules.ts";
import { readSidecarParts, type ReadableSidecar } from "./readable-sidecar.ts";
import { referenceBreaches } from "./reference-rules.ts";
import { secretBreaches } from "./secret-rules.ts";
import type { SidecarConfig } from "./sidecar-config.ts";
import { sidecarSchema } from "./sidecar-schema.ts";

export interface LoadOptions {
  /** Files that the configuration names (certificates, keys, keyring) must be there, or their absence is only noted. */
  readonly files: "required" | "noted";
}

export interface LoadedSidecar {
  readonly config: SidecarConfig;
  readonly maps: readonly LoadedFieldMap[];
  /** What stops nothing but should be known: files that are not there yet, warnings of the field maps. */
  readonly warnings: readonly Problem[];
}

interface LoadedMaps {
  readonly listed: readonly ListedMap[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly breaches: readonly Breach[];
}

/** Field map files as the operator would name them: relative to where the sidecar file was named from. */
function loadMaps(file: ReadableSidecar, path: string): LoadedMaps {
  const listed: ListedMap[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const breaches: Breach[] = [];
  for (const { index, value } of file.fieldMaps) {
    const named = isAbsolute(value) ? value : join(dirname(path), value);
    const loaded = readMap(named);
    if (loaded === undefined) breaches.push({ rule: "file-missing", path: ["fieldMaps", index] });
    problems.push(...(loaded?.problems ?? []));
    warnings.push(...(loaded?.warnings ?? []));
    listed.push({ index, map: loaded?.map });
  }
  return { listed, problems, warnings, breaches };
}

/** `undefined` = no such file. */
function readMap(path: string): FieldMapLoad | undefined {
  try {
    const { file, problems } = readConfigFile(path);
    return file === undefined ? { map: undefined, problems, warnings: [] } : loadFieldMap(file);
  } catch (error) {
    if (hasCode(error, "file_unreadable")) return undefined;
    throw error;
  }
}

function routeTables(file: ReadableSidecar, maps: readonly ListedMap[]): ReadonlyMap<string, CreatedRouteTable> {
  return new Map(
    file.listeners.flatMap(({ value }): readonly (readonly [string, CreatedRouteTable])[] => {
      if (value.fieldMaps === undefined) return [];
      const own = value.fieldMaps.flatMap((name) => maps.find(({ map }) => map?.dataset.name === name)?.map ?? []);
      return [[value.name, createRouteTable([...new Set(own)])]];
    }),
  );
}

/**
 * Reads a sidecar file and its field maps, and checks everything there is to check in one go.
 * Throws `ConfigProblems` with every problem of all files, `file_unreadable` for the sidecar file itself.
 */
export function loadSidecar(path: string, options: LoadOptions): LoadedSidecar {
  const read = readConfigFile(path);
  if (read.file === undefined) throw new ConfigProblems(read.problems);
  const source = readYaml(read.file);
  const shape = checkShape(source, sidecarSchema);
  const parts = readSidecarParts(source.value);
  const folder = resolve(dirname(path));
  const maps = loadMaps(parts, path);
  const tables = routeTables(parts, maps.listed);
  const files = fileFindings(parts, folder);
  const breaches = [
    ...secretBreaches(source.value),
    ...exposureBreaches(parts),
    ...kmsBreaches(parts),
    ...referenceBreaches(parts),
    ...contradictionBreaches(parts),
    ...fieldMapBreaches(parts, maps.listed),
    ...maps.breaches,
    ...files.loose,
    ...(options.files === "required" ? files.missing : []),
  ];
  const problems = [
    ...source.problems,
    ...shape.problems,
    ...breachProblems(source, breaches),
    ...maps.problems,
    ...[...tables.values()].flatMap((created) => created.problems),
  ];
  if (problems.length > 0 || shape.value === undefined) throw new ConfigProblems(distinct(inReadingOrder(problems)));
  const routes = new Map([...tables].map(([name, { table }]) => [name, table]));
  const noted = options.files === "noted" ? breachProblems(source, files.missing) : [];
  return Object.freeze({
    config: buildSidecar({ file: shape.value, folder, path, routes }),
    maps: maps.listed.flatMap(({ map }) => map ?? []),
    warnings: inReadingOrder([...noted, ...maps.warnings]),
  });
}

/** Two listeners with the same maps find the same ties. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const identity = JSON.stringify(problem);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}
