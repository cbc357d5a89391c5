import { pino } from "pino";

/** A log destination that can be emptied before the process ends. */
export interface LogDestination {
  write(line: string): void;
  /** Writes what is still held, synchronously. */
  flush(): void;
}

/** What is held while the reader is slow; beyond it lines are dropped rather than memory filled or requests stalled. */
const longestBacklog = 4 * 1024 * 1024;

/** Lines go to file descriptor `fd` without waiting for it: a stuck reader of the log must not stop requests. */
export function openLogDestination(fd: 1 | 2): LogDestination {
  const stream = pino.destination({ dest: fd, sync: false, maxLength: longestBacklog });
  // A reader that went away (EPIPE) is no reason to end.
  stream.on("error", () => undefined);
  return Object.freeze({
    write: (line: string) => void stream.write(line),
    flush: () => {
      try {
        stream.flushSync();
      } catch {
        // Nobody reads the log any more, and there is nowhere to say so.
      }
    },
  });
}
