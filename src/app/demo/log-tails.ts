import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const lines = 12;

/** The last lines of every log in `folder`, for whoever wants to know why the demo failed. Empty when there are none. */
export function logTails(folder: string): string {
  return logsIn(folder)
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8").trimEnd() }))
    .filter(({ text }) => text !== "")
    .map(({ name, text }) => `--- ${name}\n${text.split("\n").slice(-lines).join("\n")}\n`)
    .join("");
}

function logsIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // The demo failed before it made the folder.
    return [];
  }
}
