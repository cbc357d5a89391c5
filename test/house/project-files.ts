import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import type { SourceFile } from "./source-tree.ts";

const project = resolve(import.meta.dirname, "../..");

/** What .gitignore names, and git's own folder. */
const ignored = new Set([".git", "node_modules", "dist", "coverage"]);

function pathsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !ignored.has(name) && !name.endsWith(".log"))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return pathsBelow(path);
      return entry.isFile() ? [path] : [];
    });
}

/** Every text file of the project, paths from its root. */
export function readProjectFiles(): readonly SourceFile[] {
  return pathsBelow(project)
    .map((path) => ({ path: relative(project, path).split(sep).join("/"), text: readFileSync(path, "utf8") }))
    .filter(({ text }) => !text.includes("\0"));
}
