import { posix } from "node:path";
import ts from "typescript";
import { bannedBuiltins, cryptoUsers, emptyNames, layerTable, longestFile } from "./layer-table.ts";
import type { SourceFile } from "./source-tree.ts";

export interface Finding {
  readonly rule: "edge" | "cycle" | "long-file" | "node-crypto" | "builtin" | "empty-name" | "layer" | "stale-row";
  readonly file: string;
  readonly detail: string;
}

interface Import {
  readonly from: string;
  /** Path below the root, or the bare specifier. */
  readonly to: string;
  readonly local: boolean;
}

const layerOf = (path: string): string => path.split("/", 1)[0] ?? "";

/** Static, dynamic, type-only and re-exporting imports alike. */
export function importsOf(file: SourceFile): readonly Import[] {
  return ts.preProcessFile(file.text, true, true).importedFiles.map(({ fileName }) => {
    const local = fileName.startsWith(".");
    return { from: file.path, to: local ? posix.join(posix.dirname(file.path), fileName) : fileName, local };
  });
}

/** The one file outside the sources that they may read: it knows the version. */
const packageFile = "../package.json";

function edgeFinding(edge: Import): Finding | undefined {
  if (edge.to === packageFile && layerOf(edge.from) === "app") return undefined;
  const [from, to] = [layerOf(edge.from), layerOf(edge.to)];
  if (from === to) return undefined;
  const allowed = layerTable[from]?.mayImport.includes(to) ?? false;
  return allowed ? undefined : { rule: "edge", file: edge.from, detail: `imports ${edge.to}` };
}

function isCryptoUser(path: string, row: string): boolean {
  return row.endsWith("/") ? path.startsWith(row) : path === row;
}

/** The global `crypto` and `process.getBuiltinModule` are doors to the same room. */
const cryptoByOtherDoors = /\bcrypto\s*\.\s*(subtle|getRandomValues|randomUUID)\b|getBuiltinModule|process\.binding/;

function usesCrypto(file: SourceFile): boolean {
  const code = file.text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  const imported = importsOf(file).some(({ to }) => to === "node:crypto" || to === "crypto");
  return imported || cryptoByOtherDoors.test(code);
}

function cycleFindings(edges: readonly Import[]): readonly Finding[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const findings: Finding[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      const cycle = [...trail.slice(trail.indexOf(path)), path];
      findings.push({ rule: "cycle", file: path, detail: cycle.join(" -> ") });
      return;
    }
    if (done.has(path)) return;
    for (const { to } of next.get(path) ?? []) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  return findings;
}

function fileFindings(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  const lines = file.text.split("\n").length - 1;
  if (!(layerOf(file.path) in layerTable)) findings.push({ rule: "layer", file: file.path, detail: "no such layer" });
  if (lines > longestFile) findings.push({ rule: "long-file", file: file.path, detail: `${lines} lines` });
  for (const name of file.path.split("/").slice(1)) {
    if (emptyNames.test(name.replace(/\.[jt]s$/, "")))
      findings.push({ rule: "empty-name", file: file.path, detail: name });
  }
  if (usesCrypto(file) && !Object.keys(cryptoUsers).some((row) => isCryptoUser(file.path, row)))
    findings.push({ rule: "node-crypto", file: file.path, detail: "not on the list of crypto users" });
  const ban = bannedBuiltins[layerOf(file.path)];
  for (const { to } of importsOf(file)) {
    if (ban?.modules.test(to) === true)
      findings.push({ rule: "builtin", file: file.path, detail: `${to}: ${ban.reason}` });
  }
  return findings;
}

/** Everything that is wrong with the house. Paths of `files` are below `src`. */
export function checkHouse(files: readonly SourceFile[]): readonly Finding[] {
  const edges = files.flatMap(importsOf).filter(({ local }) => local);
  return [
    ...files.flatMap(fileFindings),
    ...edges.map(edgeFinding).filter((finding) => finding !== undefined),
    ...cycleFindings(edges),
  ];
}

/** Rows of the crypto list that no file needs any more. */
export function staleRows(files: readonly SourceFile[]): readonly Finding[] {
  return Object.keys(cryptoUsers)
    .filter((row) => !files.some((file) => isCryptoUser(file.path, row) && usesCrypto(file)))
    .map((row) => ({ rule: "stale-row", file: row, detail: "uses no node:crypto" }));
}
