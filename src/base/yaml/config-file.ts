import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { SealwrightError } from "../sealwright-error.ts";
import type { Problem } from "./problem.ts";
import { largestConfigFile, tooLargeFile } from "./yaml-source.ts";

/** A configuration file in memory, as `readYaml` takes it. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** The file, or why it may not be read: its size is looked at before its content. */
export interface ReadConfigFile {
  readonly file: ConfigFile | undefined;
  readonly problems: readonly Problem[];
}

/** Reads a configuration file of at most 1 MiB in UTF-8. Throws `file_unreadable`. */
export function readConfigFile(path: string): ReadConfigFile {
  let bytes: Buffer;
  try {
    const descriptor = openSync(path, "r");
    try {
      if (fstatSync(descriptor).size > largestConfigFile) return { file: undefined, problems: [tooLargeFile(path)] };
      bytes = readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
  try {
    return { file: { path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) }, problems: [] };
  } catch {
    const broken = { rule: "yaml-encoding", message: "The file is not valid UTF-8.", fix: "Save it as UTF-8." };
    return { file: undefined, problems: [{ file: path, line: 1, column: 1, ...broken }] };
  }
}
