import { SealwrightError } from "../../base/sealwright-error.ts";
import type { Clock } from "../../base/clock.ts";
import type { StreamMark, StreamRewriter } from "../../engine/stream-rewriter.ts";

/** What a run writes to, and what keeps its place. */
export interface StreamSink {
  readonly start: StreamMark;
  hasRead(chunk: Buffer): void;
  write(pieces: readonly Buffer[]): Promise<void>;
  advance(mark: StreamMark): void;
  /** Keeps the place for a later run. */
  save(mark: StreamMark): Promise<void>;
}

export interface StreamRun {
  readonly sink: StreamSink;
  readonly rewriter: StreamRewriter;
  /** The input from a byte on. */
  readonly input: (from: number) => AsyncIterable<Buffer>;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Told after each chunk. */
  readonly progress: (mark: StreamMark) => void;
  /** Bytes of input, and time, after which the place is kept: whichever comes first. */
  readonly saveEvery: { readonly bytes: number; readonly ms: number };
}

/** Drives a rewriter over all input; gives the last mark. Throws what it and the sink throw. */
export async function runStream({ sink, rewriter, input, clock, progress, saveEvery }: StreamRun): Promise<StreamMark> {
  let saved = { input: sink.start.input, ms: clock.monotonicMs() };
  // What an earlier run has read is part of its digest already.
  let position = rewriter.readFrom;
  // Between taking and having written, what was taken is in nobody's hands.
  const output = { whole: true };
  const flush = async (): Promise<void> => {
    const pieces = rewriter.take();
    output.whole = false;
    await sink.write(pieces);
    output.whole = true;
    sink.advance(rewriter.mark);
    progress(rewriter.mark);
  };
  try {
    for await (const chunk of input(rewriter.readFrom)) {
      const known = Math.max(0, Math.min(chunk.length, sink.start.input - position));
      position += chunk.length;
      sink.hasRead(chunk.subarray(known));
      await rewriter.write(chunk);
      await flush();
      const { mark } = rewriter;
      const ms = clock.monotonicMs();
      if (mark.input - saved.input < saveEvery.bytes && ms - saved.ms < saveEvery.ms) continue;
      await sink.save(mark);
      saved = { input: mark.input, ms };
    }
    if (position < sink.start.input) throw new SealwrightError("resume_refused", { reason: "the input has changed" });
    await rewriter.end();
    await flush();
    return rewriter.mark;
  } catch (error) {
    if (output.whole) await keepPlace(sink, rewriter);
    throw error;
  } finally {
    rewriter.close();
  }
}

/** After a failure: what came before it stands, and the next run goes on from there. The failure itself is what is told. */
async function keepPlace(sink: StreamSink, rewriter: StreamRewriter): Promise<void> {
  try {
    const pieces = rewriter.take();
    const { mark } = rewriter;
    await sink.write(pieces);
    sink.advance(mark);
    await sink.save(mark);
  } catch {
    // The last place that was kept stays.
  }
}
