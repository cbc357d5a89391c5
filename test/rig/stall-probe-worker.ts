import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

import type { StallTarget } from "./stall-probe.ts";

const { port, pid } = workerData as StallTarget;
const pauseMs = 15;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Milliseconds that a thread has waited for a processor so far. */
function waited(schedstat: string): number {
  try {
    return Number(readFileSync(schedstat, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

const waitedInAll = (): number => waited(`/proc/${pid}/task/${pid}/schedstat`) + waited("/proc/thread-self/schedstat");

let longest = 0;

function probe(): void {
  const waitedBefore = waitedInAll();
  const started = performance.now();
  const settle = (): void => {
    longest = Math.max(longest, performance.now() - started - (waitedInAll() - waitedBefore));
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
