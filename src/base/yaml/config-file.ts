import { closeSync, fstatSync, openSync, readSync } from "node:fs";
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
  const bytes = boundedBytes(path);
  if (bytes === undefined) return { file: undefined, problems: [tooLargeFile(path)] };
  try {
    return { file: { path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) }, problems: [] };
  } catch {
    const broken = { rule: "yaml-encoding", message: "The file is not valid UTF-8.", fix: "Save it as UTF-8." };
    return { file: undefined, problems: [{ file: path, line: 1, column: 1, ...broken }] };
  }
}

/** `undefined` = too large. A pipe and a device have no size that could be looked at, and may have no end. */
function boundedBytes(path: string): Buffer | undefined {
  try {
    const descriptor = openSync(path, "r");
    try {
      if (fstatSync(descriptor).size > largestConfigFile) return undefined;
      const bytes = Buffer.alloc(largestConfigFile + 1);
      let length = 0;
      while (length < bytes.length) {
        const read = readSync(descriptor, bytes, length, bytes.length - length, null);
        if (read === 0) return bytes.subarray(0, length);
        length += read;
      }
      return undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}
