import { systemClock } from "../../base/clock.ts";
import type { Labour } from "../../keys/life-cycle/labour.ts";
import type { Terminal } from "./terminal.ts";

const defaultParallel = 8;
const betweenLinesMs = 1000;

/** Long work as commands do it: a line of progress a second at most, `what` being what is counted. */
export function commandLabour(terminal: Terminal, what: string, parallel = defaultParallel): Labour {
  let toldAt = systemClock.monotonicMs();
  return {
    parallel,
    clock: systemClock,
    random: Math.random,
    progress: (done, total, waiting) => {
      const now = systemClock.monotonicMs();
      if (now - toldAt < betweenLinesMs) return;
      toldAt = now;
      terminal.progress(`${done} of ${total} ${what}${waiting ? "; waiting for the key service" : ""}`);
    },
  };
}
