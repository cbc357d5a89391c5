import type { Problem } from "../base/yaml/problem.ts";
import type { LoadedFieldMap, LoadedRoute } from "./loaded-map.ts";
import { brokenMap } from "./map-rules.ts";
import { patternShape } from "./route-pattern.ts";

interface Owned {
  readonly loaded: LoadedRoute;
  readonly file: string;
}

/** Routes of one listener of which a request could take either: each is a problem of the later one. */
export function routeTies(maps: readonly LoadedFieldMap[]): Problem[] {
  const byShape = new Map<string, Owned[]>();
  const problems: Problem[] = [];
  for (const { file, routes } of maps) {
    for (const loaded of routes) {
      const shape = patternShape(loaded.pattern);
      const earlier = byShape.get(shape) ?? [];
      const rival = earlier.find((other) => methodsMeet(other.loaded, loaded));
      if (rival !== undefined) problems.push(tie({ loaded, file }, rival));
      byShape.set(shape, [...earlier, { loaded, file }]);
    }
  }
  return problems;
}

/** Datasets that two maps share, by a present or a former name. */
export function datasetClashes(maps: readonly LoadedFieldMap[]): Problem[] {
  const owners = new Map<string, LoadedFieldMap>();
  return maps.flatMap((map) => {
    const names = [map.dataset.name, ...map.dataset.formerly];
    const clash = names.find((name) => owners.has(name));
    for (const name of names) owners.set(name, map);
    if (clash === undefined) return [];
    const message = `Another map has the dataset ${clash}, now or formerly.`;
    return [{ file: map.file, ...map.place, ...brokenMap("dataset-twice", message, "Keep one map for each dataset.") }];
  });
}

function methodsMeet(a: LoadedRoute, b: LoadedRoute): boolean {
  if (a.methods === undefined || b.methods === undefined) return true;
  return !a.methods.isDisjointFrom(b.methods);
}

function tie({ loaded, file }: Owned, rival: Owned): Problem {
  const where = `${rival.file}:${rival.loaded.place.line}`;
  const message = `A request can take this route and the one at ${where} alike.`;
  const fix = "List different methods (HEAD follows GET), or make one path more specific.";
  return { file, ...loaded.place, ...brokenMap("route-tie", message, fix) };
}
