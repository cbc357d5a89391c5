import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import type { KeepFailed } from "../../engine/engine-context.ts";
import { streamStart, type StreamMark, type StreamRewriter } from "../../engine/stream-rewriter.ts";
import { withKeyringLock } from "../../keys/keyring/stores/keyring-lock.ts";
import { thisProcess } from "../../keys/keyring/stores/process-name.ts";
import { FailureList } from "../streams/failure-list.ts";
import { PartFile } from "../streams/part-file.ts";
import { runStream, type StreamSink } from "../streams/run-stream.ts";
import { StreamTally } from "../streams/stream-tally.ts";
import type { CommandCall } from "./command.ts";
import { exitCode, type ExitCode } from "./exit-code.ts";
import { streamProgress, tellStream } from "./stream-lines.ts";
import type { StreamCall } from "./stream-options.ts";
import type { Terminal } from "./terminal.ts";

const saveEvery = Object.freeze({ bytes: 64 * 1024 * 1024, ms: 5_000 });

/** What a command does with a stream. */
export interface StreamWork {
  /** Everything, beside the stream's own options, that decides what is written. */
  readonly job: Readonly<Record<string, unknown>>;
  /** What is done to values, in one word of the past: sealed, opened, rewrapped. */
  readonly done: string;
  rewriter(start: StreamMark, tally: StreamTally, keepFailed: KeepFailed | undefined): StreamRewriter;
}

/**
 * Runs the stream that a call names and tells what came of it. Exit code 1 where something was left as it is. Throws
 * `file_exists`, `resume_refused`, `file_unreadable`, and what the rewriter throws, with input and line.
 */
export async function runStreamCall(call: CommandCall, stream: StreamCall, work: StreamWork): Promise<ExitCode> {
  const { output } = stream;
  return output === "-" ? runAlone(call, stream, work) : lockedFor(output, () => runAlone(call, stream, work));
}

/** Two runs that resume one output would cut off and write over what the other writes. */
async function lockedFor<T>(output: string, run: () => Promise<T>): Promise<T> {
  const lock = join(dirname(output), `.${basename(output)}.lock`);
  try {
    return await withKeyringLock(lock, await thisProcess(), run);
  } catch (error) {
    if (!hasCode(error, "keyring_busy")) throw error;
    const reason = "another run writes the output; if none does on any host, remove this file";
    throw new SealwrightError("file_exists", { file: lock, reason }, error);
  }
}

async function runAlone(call: CommandCall, stream: StreamCall, work: StreamWork): Promise<ExitCode> {
  const part = stream.output === "-" ? undefined : await partFile(stream, work.job);
  try {
    const failures = failureList(stream, part);
    try {
      return await finished(call, { stream, work, part, failures });
    } finally {
      failures?.close();
    }
  } catch (error) {
    throw placed(error, stream.input);
  } finally {
    await part?.close();
  }
}

interface OpenedStream {
  readonly stream: StreamCall;
  readonly work: StreamWork;
  readonly part: PartFile | undefined;
  readonly failures: FailureList | undefined;
}

async function finished(call: CommandCall, { stream, work, part, failures }: OpenedStream): Promise<ExitCode> {
  const { terminal } = call;
  const tally = new StreamTally(part?.checkpoint ?? { keys: {}, clear: 0 });
  const sink = part === undefined ? stdoutSink(terminal) : fileSink(part, tally, failures);
  const advance = advanced(stream, sink, failures);
  const keepFailed = failures && ((error: SealwrightError) => keptIn(failures, error));
  const mark = await runStream({
    sink: { ...sink, advance },
    rewriter: work.rewriter(sink.start, tally, keepFailed),
    input: (from) => terminal.inputStream(stream.input, from),
    clock: systemClock,
    progress: streamProgress(terminal, tally, await sizeOf(stream.input)),
    saveEvery,
  });
  failures?.advance();
  await part?.finish();
  const count = failures?.count ?? 0;
  tellStream(call, { done: work.done, mark, tally, failures: count, toStdout: part === undefined });
  return count > 0 ? exitCode.problem : exitCode.done;
}

/** In lines a failure's position is that in its line, and every line that was read has been written. */
function advanced({ framing }: StreamCall, sink: StreamSink, failures: FailureList | undefined): StreamSink["advance"] {
  return (mark) => {
    sink.advance(mark);
    failures?.advance(framing === "lines" ? undefined : mark.input);
  };
}

function partFile(stream: StreamCall, more: StreamWork["job"]): Promise<PartFile> {
  const { framing, stored, output, input, resume, failures } = stream;
  return PartFile.open({ path: output, resume, input, job: JSON.stringify({ ...more, framing, stored, failures }) });
}

function failureList({ failures, resume }: StreamCall, part: PartFile | undefined): FailureList | undefined {
  if (failures === undefined) return undefined;
  return resume ? FailureList.resume(failures, part?.checkpoint?.failures) : FailureList.create(failures);
}

function stdoutSink(terminal: Terminal): StreamSink {
  return {
    start: streamStart,
    hasRead: () => undefined,
    advance: () => undefined,
    save: () => Promise.resolve(),
    write: async (pieces) => terminal.resultStream(Buffer.concat(pieces)),
  };
}

/** Names the input where the failure is in it. */
function placed(error: unknown, input: string): unknown {
  if (!(error instanceof SealwrightError)) return error;
  const { line, position } = error.facts;
  const inside = line !== undefined || position !== undefined;
  return inside ? error.withFacts({ file: input === "-" ? "stdin" : input }) : error;
}

function keptIn(failures: FailureList, error: SealwrightError): true {
  failures.add(error);
  return true;
}

function fileSink(part: PartFile, tally: StreamTally, failures: FailureList | undefined): StreamSink {
  return {
    start: part.start,
    hasRead: (chunk) => part.hasRead(chunk),
    write: (pieces) => part.write(pieces),
    advance: (mark) => part.advance(mark),
    save: (mark: StreamMark) => {
      const { count = 0, bytes = 0 } = failures ?? {};
      return part.save(mark, { failures: { count, bytes }, keys: Object.fromEntries(tally.keys), clear: tally.clear });
    },
  };
}

async function sizeOf(input: string): Promise<number | undefined> {
  if (input === "-") return undefined;
  return stat(input).then(
    ({ size }) => size,
    () => undefined,
  );
}
