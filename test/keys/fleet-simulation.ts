import { printTime, type KeyringEntry } from "../../src/keys/keyring/keyring-file.ts";
import { newEntry } from "../../src/keys/life-cycle/new-entry.ts";
import { dueRotation } from "../../src/keys/life-cycle/rotation-plan.ts";

const second = 1000;
const day = 86_400_000;

/** How often a sidecar looks at its file, and how long a mounted file may take to reach a pod. */
const lookMs = 10 * second;
export const longestLagMs = 120 * second;

export interface FleetPlan {
  readonly days: number;
  /** The job runs once in each such period, at a random moment of it. */
  readonly periodMs: number;
  readonly sidecars: number;
  readonly everyMs: number;
  readonly spreadMs: number;
  /** By how much the clocks of the machines that run the job are off; each run is by one of them. */
  readonly skewsMs: readonly number[];
  /** Numbers in [0, 1), as many as are asked for. */
  readonly random: () => number;
}

/** A keyring as it was published at some time. */
interface Version {
  readonly at: number;
  readonly entries: readonly KeyringEntry[];
}

export interface FleetReport {
  readonly activations: number;
  readonly closed: number;
  /** A sidecar could meet a value under a key that is not in its file. */
  readonly unreadable: number;
  /** A sidecar's keyring had no key to seal with. */
  readonly silent: number;
  readonly deterministicStates: ReadonlySet<string>;
}

/**
 * Runs `keys rotate --due` once a period, except while the key service is away, and lets every version reach each sidecar late. What a sidecar meets at a moment is anything that another one may have sealed by then.
 */
export function simulateFleet(plan: FleetPlan): FleetReport {
  const versions = publishedVersions(plan);
  const arrivals = Array.from({ length: plan.sidecars }, () => arrivalsOf(versions, plan.random));
  let [activations, closed, unreadable, silent] = [0, 0, 0, 0];
  for (const [index, { entries }] of versions.entries()) {
    const before = new Map(versions[index - 1]?.entries.map(({ id, state }) => [id, state]));
    const earliest = Math.min(...arrivals.map((each) => each[index] ?? 0));
    if (!entries.some(({ use, state }) => use === "randomized" && state === "active")) silent += 1;
    for (const { id, state } of entries) {
      if (state === "decrypt-only" && before.get(id) === "active") closed += 1;
      if (state !== "active" || before.get(id) === "active" || index === 0) continue;
      activations += 1;
      const first = versions.findIndex((version) => version.entries.some((entry) => entry.id === id));
      unreadable += arrivals.filter((each) => (each[first] ?? Infinity) > earliest).length;
    }
  }
  const deterministic = versions.flatMap(({ entries }) => entries.filter(({ use }) => use === "deterministic"));
  return {
    activations,
    closed,
    unreadable,
    silent,
    deterministicStates: new Set(deterministic.map(({ id, state }) => `${id.slice(0, 4)} ${state}`)),
  };
}

function publishedVersions(plan: FleetPlan): readonly Version[] {
  const { random, skewsMs } = plan;
  const start = Date.UTC(2026, 0, 1);
  let count = 0;
  const add = (entries: readonly KeyringEntry[], now: number, more: Partial<KeyringEntry> = {}): KeyringEntry => {
    count += 1;
    const id = count.toString(16).padStart(64, "0");
    const key = { id, use: more.use ?? "randomized", scope: {}, wraps: [] } as const;
    const keyring = { shards: [], root: { id: "", wraps: [] }, entries, generation: 1 };
    return { ...newEntry(keyring, key, { state: "pending", nowMs: now, notBeforeMs: now + plan.spreadMs }), ...more };
  };
  const first = [add([], start, { state: "active" }), add([], start, { state: "active", use: "deterministic" })];
  const versions: Version[] = [{ at: start - day, entries: [...first, add(first, start, { use: "deterministic" })] }];
  let awayUntil = 0;
  for (let period = 0; period < (plan.days * day) / plan.periodMs; period += 1) {
    const at = start + Math.floor((period + random()) * plan.periodMs);
    if (random() < 0.02) awayUntil = at + random() * 6 * 3_600_000;
    if (at < awayUntil) continue;
    const now = at + (skewsMs[period % skewsMs.length] ?? 0);
    const entries = versions.at(-1)?.entries ?? [];
    const due = dueRotation(entries, { nowMs: now, everyMs: plan.everyMs, spreadMs: plan.spreadMs });
    if (due.activate.length + due.close.length + due.renew.length === 0) continue;
    const moved = entries.map((entry) => {
      if (due.activate.includes(entry)) return { ...entry, state: "active" as const, notBefore: printTime(now) };
      return due.close.includes(entry) ? { ...entry, state: "decrypt-only" as const } : entry;
    });
    versions.push({ at, entries: [...moved, ...due.renew.map(() => add(moved, now))] });
  }
  return versions;
}

/** When one sidecar has each version, or a later one, in use. */
function arrivalsOf(versions: readonly Version[], random: () => number): readonly number[] {
  const phase = random() * lookMs;
  const seen = versions.map(({ at }) => {
    const mounted = at + random() * longestLagMs;
    return Math.ceil((mounted - phase) / lookMs) * lookMs + phase;
  });
  for (let index = seen.length - 2; index >= 0; index -= 1)
    seen[index] = Math.min(seen[index] ?? Infinity, seen[index + 1] ?? Infinity);
  return seen;
}
