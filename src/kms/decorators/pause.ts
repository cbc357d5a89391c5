import type { Clock } from "../../base/clock.ts";

/** The event loop looks this often whether somebody still waits, milliseconds. */
const lookMs = 1000;

/** Waits. The process stays alive meanwhile, as a call is under way; the clock's own timers would let it end. */
export async function pause(ms: number, clock: Pick<Clock, "after">): Promise<void> {
  const alive = setInterval(() => undefined, lookMs);
  await new Promise<void>((resolve) => void clock.after(ms, resolve));
  clearInterval(alive);
}
