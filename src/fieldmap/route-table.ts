import type { Problem } from "../base/yaml/problem.ts";
import type { LoadedFieldMap, LoadedRoute } from "./loaded-map.ts";
import { capturesOf, foldedPath, matchesPattern, slashAllowed } from "./path-match.ts";
import { readRequestPath, type PathSegment } from "./request-path.ts";
import { compareSpecificity } from "./route-pattern.ts";
import { datasetClashes, routeTies } from "./route-ties.ts";
import type { Route, RouteTable, RouteVerdict } from "./types.ts";

/** A listener's routes, and what keeps them from being used together. */
export interface CreatedRouteTable {
  readonly table: RouteTable;
  /** Ties between routes, datasets that two maps share: the table must not be used when there are any. */
  readonly problems: readonly Problem[];
}

/** The routes of all maps of one listener, the most specific first. What no route matches is denied. */
export function createRouteTable(maps: readonly LoadedFieldMap[]): CreatedRouteTable {
  const ordered = maps.flatMap(({ routes }) => routes).toSorted((a, b) => compareSpecificity(a.pattern, b.pattern));
  const table: RouteTable = Object.freeze({
    routes: Object.freeze(ordered.map(({ route }) => route)),
    match(method: string, target: string): RouteVerdict {
      const read = readRequestPath(target);
      if (read.kind === "refused") return refuse("path_refused", read.reason);
      return verdict(ordered, method, read.segments);
    },
  });
  return { table, problems: [...datasetClashes(maps), ...routeTies(maps)] };
}

/** Methods that make a request something else than itself; no route can allow them. */
const neverRouted = new Set(["CONNECT", "TRACE"]);

/** For the Allow header where a route takes every method. */
const usualMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

function verdict(ordered: readonly LoadedRoute[], method: string, path: readonly PathSegment[]): RouteVerdict {
  const matching = ordered.filter(({ pattern }) => matchesPattern(pattern, path));
  const best = neverRouted.has(method) ? undefined : matching.find((loaded) => takesMethod(loaded, method));
  const slashIsFine =
    best === undefined ? !path.some(hasEncodedSlash) : slashAllowed(best.pattern, path, best.encodedSlash);
  if (!slashIsFine) return refuse("path_refused", "encoded slash");
  if (best === undefined || best.route.passthrough) {
    if (otherSpellingIsProtected(ordered, method, path)) {
      return refuse("path_refused", "another spelling of a path that is sealed or opened");
    }
    if (best === undefined && matching.length === 0 && !neverRouted.has(method)) return refuse("no_route", "no route");
    if (best === undefined || shadowedByProtected(matching, best)) {
      return refuse("method_not_allowed", "no route of the path lists the method", allowedMethods(matching));
    }
  }
  return { kind: "route", route: best.route, captures: capturesOf(best.pattern, path) };
}

const hasEncodedSlash = ({ encodedSlash }: PathSegment): boolean => encodedSlash;

function takesMethod({ methods }: LoadedRoute, method: string): boolean {
  return methods === undefined || methods.has(method);
}

function isProtected(route: Route): boolean {
  return route.request.kind === "seal" || route.open !== undefined;
}

/** A more specific pattern seals or opens what this passthrough would let pass under another method. */
function shadowedByProtected(matching: readonly LoadedRoute[], best: LoadedRoute): boolean {
  return matching.some(({ route, pattern }) => isProtected(route) && compareSpecificity(pattern, best.pattern) < 0);
}

/**
 * An upstream that folds case, forgives a slash at the end or decodes an encoded one would serve this path as one that the
 * map protects.
 */
function otherSpellingIsProtected(
  ordered: readonly LoadedRoute[],
  method: string,
  path: readonly PathSegment[],
): boolean {
  const folded = foldedPath(path);
  return spellings(folded).some((spelling) => {
    const matching = ordered.filter((loaded) => takesMethod(loaded, method) && matchesPattern(loaded.folded, spelling));
    const [best] = matching;
    return (
      best !== undefined &&
      matching.some(
        ({ route, folded: pattern }) => isProtected(route) && compareSpecificity(pattern, best.folded) === 0,
      )
    );
  });
}

function spellings(path: readonly PathSegment[]): (readonly PathSegment[])[] {
  const whole = path.flatMap(({ text }) => text.split("/").map((piece) => ({ text: piece, encodedSlash: false })));
  const slashed = whole.at(-1)?.text === "";
  const other = slashed ? whole.slice(0, -1) : [...whole, { text: "", encodedSlash: false }];
  return [whole, other];
}

/** Methods under which the path would be routed. */
function allowedMethods(matching: readonly LoadedRoute[]): string[] {
  const listed = matching.flatMap(({ methods }) => (methods === undefined ? usualMethods : [...methods]));
  return [...new Set(listed)].filter((method) => {
    const best = matching.find((loaded) => takesMethod(loaded, method));
    return best !== undefined && (!best.route.passthrough || !shadowedByProtected(matching, best));
  });
}

function refuse(
  code: "path_refused" | "no_route" | "method_not_allowed",
  reason: string,
  allow: readonly string[] = [],
): RouteVerdict {
  return { kind: "refuse", code, reason, allow };
}
