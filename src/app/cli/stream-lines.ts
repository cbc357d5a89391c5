import { systemClock } from "../../base/clock.ts";
import type { StreamMark } from "../../engine/stream-rewriter.ts";
import type { KeyCounts, StreamTally } from "../streams/stream-tally.ts";
import type { CommandCall } from "./command.ts";
import { megabytes } from "./sighting-options.ts";
import type { Terminal } from "./terminal.ts";

const betweenLinesMs = 1000;
/** Keys that a summary names. */
const mostKeyLines = 20;

/** Tells how far a stream has come, a line a second at most. `total`: bytes of input, where known. */
export function streamProgress(terminal: Terminal, tally: StreamTally, total?: number): (mark: StreamMark) => void {
  let toldAt = systemClock.monotonicMs();
  return (mark) => {
    const now = systemClock.monotonicMs();
    if (now - toldAt < betweenLinesMs) return;
    toldAt = now;
    const of = total === undefined ? "" : ` of ${megabytes(total)}`;
    terminal.progress(
      `${mark.documents} documents, ${tally.sealed + tally.opened} values, ${megabytes(mark.input)}${of}`,
    );
  };
}

export interface StreamEnd {
  /** What was done to values: sealed, opened, rewrapped. */
  readonly done: string;
  readonly mark: StreamMark;
  readonly tally: StreamTally;
  readonly failures: number;
  /** The result went to stdout: what is told goes to stderr. */
  readonly toStdout: boolean;
}

/** The summary: documents, values, bytes, values per key. */
export function tellStream({ terminal, json }: CommandCall, end: StreamEnd): void {
  const { mark, tally, failures } = end;
  if (json) {
    const { documents, input: bytesRead, output: bytesWritten } = mark;
    const { sealed, opened, clear } = tally;
    const keys = Object.fromEntries(tally.keys);
    terminal.result(
      JSON.stringify({ ok: failures === 0, documents, sealed, opened, clear, failures, bytesRead, bytesWritten, keys }),
    );
    return;
  }
  for (const line of summaryLines(end)) {
    if (end.toStdout) terminal.progress(line);
    else terminal.result(line);
  }
  if (failures > 0)
    terminal.progress(`${terminal.paint.bad(`${failures} could not be opened`)} and stand as they were`);
}

function summaryLines({ done, mark, tally }: StreamEnd): readonly string[] {
  const values = `${done === "opened" ? tally.opened : tally.sealed} values ${done}`;
  const clear = tally.clear === 0 ? "" : `, ${tally.clear} left in clear`;
  const keys = [...tally.keys].sort(([a], [b]) => (a < b ? -1 : 1));
  const more = keys.length > mostKeyLines ? [`  and ${keys.length - mostKeyLines} more keys`] : [];
  return [
    `${mark.documents} documents, ${values}${clear}, ${megabytes(mark.input)} read`,
    ...keys.slice(0, mostKeyLines).map(([id, counts]) => `  key ${id.slice(0, 16)}: ${countWords(counts, done)}`),
    ...more,
  ];
}

function countWords({ sealed, opened }: KeyCounts, done: string): string {
  const words = [
    ...(opened > 0 ? [`${opened} opened`] : []),
    ...(sealed > 0 ? [`${sealed} ${done === "opened" ? "sealed" : done}`] : []),
  ];
  return words.join(", ") || "none of its values changed";
}
