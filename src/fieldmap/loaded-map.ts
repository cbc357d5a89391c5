import type { Position } from "../base/yaml/problem.ts";
import type { BuiltRecord } from "./record-rules.ts";
import type { RoutePattern } from "./route-pattern.ts";
import type { Dataset, Route } from "./types.ts";

/** A route with what only the route table needs. */
export interface LoadedRoute {
  readonly route: Route;
  readonly pattern: RoutePattern;
  /** The same for paths whose case is folded. */
  readonly folded: RoutePattern;
  /** HEAD beside every GET; `undefined` = every method. */
  readonly methods: ReadonlySet<string> | undefined;
  /** Captures that may hold an encoded slash. */
  readonly encodedSlash: ReadonlySet<string>;
  /** Where its path stands in the file. */
  readonly place: Position;
}

/** One field map, typed, checked and compiled. */
export interface LoadedFieldMap {
  readonly file: string;
  readonly dataset: Dataset;
  readonly routes: readonly LoadedRoute[];
  /** The map's own record rule as far as documents themselves can tell it. */
  readonly storedRecord: BuiltRecord;
  /** The map names records only by the requests' paths: stored documents cannot tell theirs. */
  readonly recordOnlyInPaths: boolean;
  /** Where the dataset's name stands in the file. */
  readonly place: Position;
}
