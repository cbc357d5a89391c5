import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** One source file: its path below the root with `/`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every .ts and .js file below `root`, sorted by path. Throws when there is none: a checker that sees nothing proves nothing. */
export function readSourceTree(root: string): readonly SourceFile[] {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (files.length === 0) throw new Error(`no source files below ${root}`);
  return files;
}
