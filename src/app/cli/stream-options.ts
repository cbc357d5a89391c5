import type { StoredDocuments } from "../../fieldmap/stored-route.ts";
import type { StreamShape } from "../../engine/create-stream.ts";
import type { CommandCall, CommandOption } from "./command.ts";
import { usageProblem } from "./usage-problem.ts";

/** Options of whatever works on a dump. */
export const streamOptions: readonly CommandOption[] = [
  { flags: "--ndjson", help: "stored documents, each line one JSON text" },
  {
    flags: "--documents <path>",
    help: 'stored documents: where they stand in one JSON text, such as "$[*]"; with --ndjson in each line, default $',
    repeatable: true,
  },
  {
    flags: "--record-from <path>",
    help: "where a stored document says its record, such as $._id; default as the field map says; or none",
    repeatable: true,
  },
  { flags: "--resume", help: "go on with an interrupted run that wrote to the same output" },
];

/** Options of what opens values of a dump. */
export const openingOptions: readonly CommandOption[] = [
  {
    flags: "--keep-going <file>",
    help: "leave values that cannot be opened as they are, and list them in this new file",
  },
];

interface StreamFiles {
  /** `-` = stdin, stdout. */
  readonly input: string;
  readonly output: string;
  readonly resume: boolean;
  /** Where what failed is listed; absent = a failure ends the run. */
  readonly failures: string | undefined;
}

export interface StreamCall<S = StoredDocuments | undefined> extends StreamFiles {
  readonly framing: StreamShape["framing"];
  readonly stored: S;
}

/** True when the call is about a dump, not about one value or one body. */
export function isStreamCall({ flag, list }: CommandCall): boolean {
  return flag("ndjson") || list("documents").length > 0;
}

/** A stream that is taken as it is, whatever documents it holds. Throws `usage`. */
export function wholeStreamCall(call: CommandCall): StreamCall<undefined> {
  return { ...files(call), framing: call.flag("ndjson") ? "lines" : "document", stored: undefined };
}

/** Throws `usage`. */
export function streamCall(
  call: CommandCall,
  clearValues: StoredDocuments["clearValues"],
): StreamCall<StoredDocuments> {
  const { flag, list } = call;
  if (!isStreamCall(call)) throw usageProblem("one of --ndjson and --documents is needed");
  const documents = list("documents");
  return {
    ...files(call),
    framing: flag("ndjson") ? "lines" : "document",
    stored: {
      documents: documents.length === 0 ? ["$"] : documents,
      record: recordFrom(list("record-from")),
      clearValues,
    },
  };
}

function files({ flag, option, argument, json }: CommandCall): StreamFiles {
  const [input, output] = [argument(0) ?? "-", argument(1) ?? "-"];
  const resume = flag("resume");
  if (resume && (input === "-" || output === "-")) throw usageProblem("--resume needs files for input and output");
  if (json && output === "-") throw usageProblem("--json needs a file for the output");
  return { input, output, resume, failures: option("keep-going") };
}

function recordFrom(paths: readonly string[]): StoredDocuments["record"] {
  if (paths.length === 0) return undefined;
  if (!paths.includes("none")) return paths;
  if (paths.length > 1) throw usageProblem("--record-from none stands alone");
  return "none";
}
