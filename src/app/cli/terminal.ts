import { styleText } from "node:util";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import { boundedInput } from "./bounded-input.ts";
import { inputBytes } from "./input-bytes.ts";
import { usageProblem } from "./usage-problem.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";

/** The longest input a command reads whole: a document, not a database. */
const longestInput = 64 * 1024 * 1024;

/** What a command speaks through. Results go to stdout, everything else to stderr. */
export interface Terminal {
  /** One line of the result. */
  result(line: string): void;
  /** The result as bytes, exactly. */
  resultBytes(bytes: Buffer): void;
  /** One line of progress, warning or explanation. */
  progress(line: string): void;
  /** Colour for stdout and stderr: only where a person looks and NO_COLOR is not set. */
  readonly paint: Paint;
  /** The whole of a file, or of stdin where `file` is `-`. Throws `file_unreadable`, `body_too_large`. */
  input(file: string): Promise<Buffer>;
  /** The bytes of a file from a byte on, or of stdin where `file` is `-`. Reading throws `file_unreadable`. */
  inputStream(file: string, from: number): AsyncIterable<Buffer>;
  /** Bytes of the result, as fast as they are taken. */
  resultStream(bytes: Buffer): Promise<void>;
  /** Asks whoever sits there; only `yes` agrees. Throws `usage` where nobody does. */
  agrees(question: string): Promise<boolean>;
}

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  faint(text: string): string;
}

type Stream = NodeJS.WriteStream;

function paintFor(stream: Stream): Paint {
  const style = (format: "green" | "red" | "yellow" | "dim") => (text: string) => styleText(format, text, { stream });
  return Object.freeze({ good: style("green"), bad: style("red"), warn: style("yellow"), faint: style("dim") });
}

async function readInput(file: string): Promise<Buffer> {
  try {
    return await boundedInput(file === "-" ? process.stdin : createReadStream(file), longestInput);
  } catch (error) {
    if (error instanceof SealwrightError) throw error;
    throw new SealwrightError("file_unreadable", { file: file === "-" ? "stdin" : file }, error);
  }
}

async function streamResult(bytes: Buffer): Promise<void> {
  const { stdout } = process;
  // A reader that is gone drains nothing.
  if (stdout.write(bytes) || stdout.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stdout.off("drain", go).off("close", go);
      resolve();
    };
    stdout.on("drain", go).on("close", go);
  });
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw usageProblem("nobody can be asked here: add --yes");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} (yes/no) `)).trim() === "yes";
  } finally {
    lines.close();
  }
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  // A reader that closes early (`| head`) is no failure.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  return Object.freeze({
    result: (line: string) => void process.stdout.write(`${line}\n`),
    resultBytes: (bytes: Buffer) => void process.stdout.write(bytes),
    progress: (line: string) => void process.stderr.write(`${line}\n`),
    paint: paintFor(process.stdout),
    input: readInput,
    inputStream: inputBytes,
    resultStream: streamResult,
    agrees: ask,
  });
}
