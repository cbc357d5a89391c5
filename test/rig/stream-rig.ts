import { systemClock } from "../../src/base/clock.ts";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import { noMetrics } from "../../src/base/metrics.ts";
import { createStream, type StreamTask } from "../../src/engine/create-stream.ts";
import type { KeepFailed } from "../../src/engine/engine-context.ts";
import { streamStart, type StreamMark } from "../../src/engine/stream-rewriter.ts";
import { loadFieldMap } from "../../src/fieldmap/load-field-map.ts";
import type { LoadedFieldMap } from "../../src/fieldmap/loaded-map.ts";
import { storedRoute, type StoredDocuments } from "../../src/fieldmap/stored-route.ts";
import type { LiveKeys } from "../../src/keys/keys.ts";

export interface StreamRun extends Partial<StoredDocuments> {
  readonly framing?: "lines" | "document";
  readonly start?: StreamMark;
  readonly chunkBytes?: number;
  readonly limits?: Partial<Limits>;
  readonly tenant?: string;
  readonly keepFailed?: KeepFailed;
}

export interface StreamOutput {
  readonly bytes: Buffer;
  /** After each chunk: the mark, and how much had left by then. */
  readonly marks: readonly { readonly mark: StreamMark; readonly left: number }[];
}

export function mapOf(text: string): LoadedFieldMap {
  const { map, problems } = loadFieldMap({ path: "test.yaml", text });
  if (map === undefined) throw new Error(problems.map(({ rule, line }) => `${line} ${rule}`).join("\n"));
  return map;
}

/** Runs a stream task over all of `input`, which is given in chunks. */
export async function runStream(
  task: StreamTask,
  { map, keys }: { readonly map: LoadedFieldMap; readonly keys: LiveKeys },
  input: Buffer,
  run: StreamRun = {},
): Promise<StreamOutput> {
  const { framing = "lines", start = streamStart, chunkBytes = 65_536, clearValues = "refuse", record } = run;
  const route = storedRoute(map, { documents: run.documents ?? ["$"], record, clearValues });
  const limits = { ...defaultLimits, ...run.limits };
  const context = { keys, limits, metrics: noMetrics, clock: systemClock, keepFailed: run.keepFailed };
  const exchange = { route, captures: new Map<string, string>(), tenant: run.tenant ?? "t1", mergePatch: false };
  const stream = createStream(task, exchange, context, { framing, start });
  const out: Buffer[] = [];
  const marks: { mark: StreamMark; left: number }[] = [];
  let left = start.output;
  const take = (): void => {
    const taken = stream.take();
    out.push(...taken);
    left += taken.reduce((sum, { length }) => sum + length, 0);
  };
  try {
    for (let at = stream.readFrom; at < input.length; at += chunkBytes) {
      await stream.write(input.subarray(at, at + chunkBytes));
      take();
      marks.push({ mark: stream.mark, left });
    }
    await stream.end();
    take();
    marks.push({ mark: stream.mark, left });
  } finally {
    stream.close();
  }
  return { bytes: Buffer.concat(out), marks };
}
