import { readFile } from "node:fs/promises";
import { z } from "zod";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { replaceFile } from "../../keys/keyring/atomic-file.ts";

/**
 * Where an interrupted run goes on: the end of a document, what had been read and written until there, and what has been counted.
 * `job`: everything that decides what the run writes.
 */
const count = z.int().min(0);
const checkpointSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("StreamCheckpoint"),
  job: z.string(),
  mark: z.strictObject({ input: count, output: count, documents: count, lines: count }),
  inputDigest: z.string(),
  outputDigest: z.string(),
  failures: z.strictObject({ count, bytes: count }),
  keys: z.record(z.string(), z.strictObject({ sealed: count, opened: count })),
  clear: count,
});

export type Checkpoint = Readonly<z.output<typeof checkpointSchema>>;

export function checkpointPath(output: string): string {
  return `${output}.checkpoint`;
}

export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await replaceFile(path, `${JSON.stringify(checkpoint)}\n`);
}

/** `undefined` = none was written: the run was interrupted before its first. Throws `resume_refused`, `file_unreadable`. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
  const parsed = checkpointSchema.safeParse(parsedJson(text));
  if (!parsed.success) throw new SealwrightError("resume_refused", { file: path, reason: "no checkpoint" });
  return parsed.data;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
