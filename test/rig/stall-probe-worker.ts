import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

import type { StallTarget } from "./stall-probe.ts";

const { port, pid } = workerData as StallTarget;
const pauseMs = 15;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface ThreadTimes {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** How long a thread has run and has waited for a processor so far, by the kernel's books. */
function timesOf(task: string): ThreadTimes {
  try {
    const [ran = "0", waited = "0"] = readFileSync(`${task}/schedstat`, "latin1").split(" ");
    return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}

const sidecarTimes = (): ThreadTimes => timesOf(`/proc/${pid}/task/${pid}`);
const ownTimes = (): ThreadTimes => timesOf("/proc/thread-self");

/**
 * How long the sidecar's loop kept a probe waiting: the wait less what the kernel made either side wait, and no more than the
 * loop has run meanwhile, since the rest is other work on the machine.
 */
function stallOf(latencyMs: number, before: readonly ThreadTimes[], after: readonly ThreadTimes[]): number {
  const waitedMs = after.reduce((sum, times, index) => sum + times.waitedMs - (before[index]?.waitedMs ?? 0), 0);
  const ranMs = (after[0]?.ranMs ?? 0) - (before[0]?.ranMs ?? 0);
  return Math.min(latencyMs - waitedMs, ranMs);
}

let longest = 0;

function probe(): void {
  const before = [sidecarTimes(), ownTimes()];
  const started = performance.now();
  const settle = (): void => {
    longest = Math.max(longest, stallOf(performance.now() - started, before, [sidecarTimes(), ownTimes()]));
    setTimeout(probe, pauseMs);
  };
  get({ port, host: "127.0.0.1", path: "/livez", agent }, (response) => response.resume().once("end", settle)).once(
    "error",
    () => setTimeout(probe, pauseMs),
  );
}

parentPort?.on("message", () => {
  parentPort?.postMessage(longest);
  longest = 0;
});
probe();
