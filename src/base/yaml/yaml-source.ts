import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Node } from "yaml";
import type { BrokenRule, Position, Problem } from "./problem.ts";
import { refusedByToken, refusedCharacters, tooDeep, type OffsetProblem } from "./yaml-tokens.ts";
import { keyText, startOf, yamlValue, type YamlPath } from "./yaml-value.ts";

/** Configuration files above this are refused unread. */
export const largestConfigFile = 1024 * 1024;

const mostProblems = 200;

/** One configuration file: its plain value, and where each part of it stands. */
export interface YamlSource {
  readonly file: string;
  /**
   * Objects have no prototype and hold what the file says: nothing coerced, no alias followed. `undefined` when the file
   * could not be read at all; then `problems` says why.
   */
  readonly value: unknown;
  /** Refusals of the YAML itself, in reading order. */
  readonly problems: readonly Problem[];
  /** Where a setting stands: its key or (default) its value; of what is missing, the nearest thing around it that is there. */
  at(path: YamlPath, what?: "key" | "value"): Position;
  /** Where one character of a string value stands: exact for plain and quoted text without escapes, else the value's start. */
  within(path: YamlPath, character: number): Position;
  /** The value at `path`, or one around it, has a problem in `problems` already. */
  refused(path: YamlPath): boolean;
  /** A problem at `path`. */
  problem(path: YamlPath, broken: BrokenRule, what?: "key" | "value"): Problem;
}

/**
 * Reads strict YAML 1.2: one document of at most 1 MiB; no anchors, aliases, merge keys, tags, directives, tabs, control
 * characters or duplicate keys; no value that another YAML reader would take for another type. Never throws.
 */
export function readYaml(file: { readonly path: string; readonly text: string }): YamlSource {
  if (Buffer.byteLength(file.text) > largestConfigFile) return unreadable(file.path, tooLarge);

  const lines = new LineCounter();
  const documents = parseAllDocuments(file.text, {
    schema: "core",
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  const found: OffsetProblem[] = [...refusedCharacters(file.text), ...refusedByToken(file.text)];
  const parsed = Array.isArray(documents) ? documents : [];
  const [document, second] = parsed;
  if (second !== undefined) found.push({ ...severalDocuments, offset: startOf(second) });

  const root = document?.contents ?? undefined;
  // What follows the first error is the parser finding its way again.
  const syntax = parsed.flatMap(({ errors }) => errors).find(({ code }) => code !== "TAG_RESOLVE_FAILED");
  if (syntax?.code === "RESOURCE_EXHAUSTION") {
    if (!found.some(({ rule }) => rule === "yaml-too-deep")) found.push({ ...tooDeep, offset: syntax.pos[0] });
  } else if (syntax !== undefined && !found.some(({ rule }) => rule === "yaml-too-deep")) {
    found.push({
      rule: "yaml-syntax",
      message: `The YAML is malformed: ${syntax.message.replace(/[.]*$/u, ".")}`,
      fix: "Mend the indentation, quotes and brackets here.",
      offset: syntax.pos[0],
    });
  }
  const readable = root !== undefined && syntax === undefined && !found.some(({ rule }) => rule === "yaml-too-deep");
  if (root === undefined && found.length === 0) found.push({ ...empty, offset: 0 });
  const built = readable ? yamlValue(root) : undefined;

  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [...found, ...(built?.problems ?? [])]
    .toSorted((a, b) => a.offset - b.offset)
    .slice(0, mostProblems)
    .map(({ offset, ...broken }) => ({ file: file.path, ...positionOf(offset), ...broken }));

  const source: YamlSource = {
    file: file.path,
    value: built?.value,
    problems,
    at: (path, what = "value") => positionOf(offsetOf(root, path, what)),
    within: (path, character) => positionOf(offsetWithin(root, path, { character, text: file.text })),
    refused: (path) =>
      Array.from({ length: path.length + 1 }, (_, length) => JSON.stringify(path.slice(0, length))).some(
        (prefix) => built?.refused.has(prefix) === true,
      ),
    problem: (path, broken, what = "value") => ({ file: file.path, ...source.at(path, what), ...broken }),
  };
  return Object.freeze(source);
}

const tooLarge: BrokenRule = {
  rule: "yaml-too-large",
  message: "The file is larger than 1 MiB.",
  fix: "Split it, or look whether this is the right file.",
};
const severalDocuments: BrokenRule = {
  rule: "yaml-documents",
  message: "The file holds more than one document.",
  fix: "Put each document in a file of its own.",
};
const empty: BrokenRule = {
  rule: "yaml-empty",
  message: "The file holds nothing.",
  fix: "Begin with apiVersion and kind.",
};

function unreadable(path: string, broken: BrokenRule): YamlSource {
  const start: Position = { line: 1, column: 1 };
  const problem: Problem = { file: path, ...start, ...broken };
  return Object.freeze({
    file: path,
    value: undefined,
    problems: [problem],
    at: () => start,
    within: () => start,
    refused: () => true,
    problem: (_path: YamlPath, other: BrokenRule) => ({ file: path, ...start, ...other }),
  });
}

/** The file stands for a source that could not even be read into memory: too large. */
export function tooLargeFile(path: string): Problem {
  return { file: path, line: 1, column: 1, ...tooLarge };
}

interface Place {
  readonly node: unknown;
  /** Of the nearest thing found; `found` tells whether that is the whole path. */
  readonly key: number;
  readonly value: number;
  readonly found: boolean;
}

function placeOf(root: Node | undefined, path: YamlPath): Place {
  let place: Place = { node: root, key: startOf(root), value: startOf(root), found: true };
  for (const step of path) {
    const { node } = place;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item) === step);
      if (pair === undefined) return { ...place, found: false };
      const key = startOf(pair.key);
      place = { node: pair.value, key, value: pair.value === null ? key : startOf(pair.value), found: true };
    } else if (isSeq(node) && typeof step === "number" && step < node.items.length) {
      const item = node.items[step];
      place = { node: item, key: startOf(item), value: startOf(item), found: true };
    } else {
      return { ...place, found: false };
    }
  }
  return place;
}

function offsetOf(root: Node | undefined, path: YamlPath, what: "key" | "value"): number {
  const place = placeOf(root, path);
  return place.found && what === "value" ? place.value : place.found ? place.key : place.value;
}

function offsetWithin(
  root: Node | undefined,
  path: YamlPath,
  sought: { readonly character: number; readonly text: string },
): number {
  const { node, value } = placeOf(root, path);
  if (!isScalar(node) || typeof node.value !== "string") return value;
  const quoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE" ? 1 : 0;
  const start = value + quoted;
  const asWritten = sought.text.slice(start, start + node.value.length);
  return asWritten === node.value ? start + sought.character : value;
}
