import { stat } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { defaultLimits, type Limits } from "../../base/limits.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { createStream, type StreamTask } from "../../engine/create-stream.ts";
import { streamStart, type StreamMark } from "../../engine/stream-rewriter.ts";
import { storedRoute, type StoredDocuments } from "../../fieldmap/stored-route.ts";
import type { LiveKeys } from "../../keys/keys.ts";
import type { LoadedSidecar } from "../config/load-sidecar.ts";
import { FailureList } from "../streams/failure-list.ts";
import { PartFile } from "../streams/part-file.ts";
import { runStream, type StreamSink } from "../streams/run-stream.ts";
import { StreamTally, TalliedKeys } from "../streams/stream-tally.ts";
import type { CommandCall } from "./command.ts";
import { exitCode, type ExitCode } from "./exit-code.ts";
import { mapNamed, tenantOf } from "./field-value.ts";
import { streamCall, type StreamCall } from "./stream-options.ts";
import { streamProgress, tellStream } from "./stream-lines.ts";
import { withKeys } from "./with-keys.ts";

const saveEvery = Object.freeze({ bytes: 64 * 1024 * 1024, ms: 5_000 });

/**
 * Seals, opens or seals anew the stored documents that a call names. Exit code 1 where something was left as it is. Throws
 * `usage`, `file_exists`, `resume_refused`, `file_unreadable`, and what sealing and opening throw, with the line.
 */
export async function streamStored(
  call: CommandCall,
  task: StreamTask,
  clearValues: StoredDocuments["clearValues"],
): Promise<ExitCode> {
  const stream = streamCall(call, clearValues);
  return withKeys(call.required("config"), (loaded, keys) => new StoredStream(call, stream, loaded).run(task, keys));
}

class StoredStream {
  readonly #call: CommandCall;
  readonly #stream: StreamCall;
  readonly #loaded: LoadedSidecar;

  constructor(call: CommandCall, stream: StreamCall, loaded: LoadedSidecar) {
    this.#call = call;
    this.#stream = stream;
    this.#loaded = loaded;
  }

  async run(task: StreamTask, keys: LiveKeys): Promise<ExitCode> {
    const { output } = this.#stream;
    const map = mapNamed(this.#loaded.maps, this.#call);
    const tenant = tenantOf(map.dataset, this.#call);
    const route = storedRoute(map, this.#stream.stored);
    const part = output === "-" ? undefined : await this.#partFile(task, tenant);
    try {
      const tally = new StreamTally(part?.checkpoint ?? { keys: {}, clear: 0 });
      const failures = this.#failures(part);
      try {
        const context = {
          keys: new TalliedKeys(keys, tally),
          limits: this.#limitsOf(map.dataset.name),
          metrics: tally.metrics,
          clock: systemClock,
          keepFailed: failures && ((error: SealwrightError) => keptIn(failures, error)),
        };
        const exchange = { route, captures: new Map<string, string>(), tenant, mergePatch: false };
        const sink = part === undefined ? this.#stdout() : fileSink(part, tally, failures);
        const shape = { framing: this.#stream.framing, start: sink.start };
        const mark = await runStream({
          sink,
          rewriter: createStream(task, exchange, context, shape),
          input: (from) => this.#call.terminal.inputStream(this.#stream.input, from),
          clock: systemClock,
          progress: streamProgress(this.#call.terminal, tally, await sizeOf(this.#stream.input)),
          saveEvery,
        });
        await part?.finish();
        tellStream(this.#call, { task, mark, tally, failures: failures?.count ?? 0, toStdout: part === undefined });
        return (failures?.count ?? 0) > 0 ? exitCode.problem : exitCode.done;
      } finally {
        failures?.close();
      }
    } catch (error) {
      throw placed(error, this.#stream.input);
    } finally {
      await part?.close();
    }
  }

  #partFile(task: StreamTask, tenant: string): Promise<PartFile> {
    const { framing, stored, output, input, resume, failures } = this.#stream;
    const job = JSON.stringify({ task, dataset: this.#call.option("dataset"), tenant, framing, stored, failures });
    return PartFile.open({ path: output, resume, input, job });
  }

  #failures(part: PartFile | undefined): FailureList | undefined {
    const { failures, resume } = this.#stream;
    if (failures === undefined) return undefined;
    return resume ? FailureList.resume(failures, part?.checkpoint?.failures) : FailureList.create(failures);
  }

  /** The bounds of the listener that the documents came through. */
  #limitsOf(dataset: string): Limits {
    const { listeners } = this.#loaded.config;
    return listeners.find(({ datasets }) => datasets.includes(dataset))?.limits ?? defaultLimits;
  }

  #stdout(): StreamSink {
    const { terminal } = this.#call;
    return {
      start: streamStart,
      hasRead: () => undefined,
      advance: () => undefined,
      save: () => Promise.resolve(),
      write: async (pieces) => terminal.resultStream(Buffer.concat(pieces)),
    };
  }
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
