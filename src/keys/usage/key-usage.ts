import type { Clock } from "../../base/clock.ts";
import type { KeyUsageCounts, UsageReport } from "./usage-report.ts";
import { printUsageTime, usageReportKeys } from "./usage-report.ts";

/** What is counted of a key. */
export type Counted = "sealed" | "opened" | "unwraps";

/** What was done under one key. Borrowers add to it once, when they give the key back. */
export interface UsageCount {
  sealed: number;
  opened: number;
  /** Milliseconds since 1970; 0 = never. */
  lastSealed: number;
  lastOpened: number;
  /** Times the key service gave or confirmed the key to this process; in no report. */
  unwraps: number;
  /** When somebody last asked for the count. */
  lastAsked: number;
  /** Its counts stand among the rest by now, and so does what is added. */
  folded: boolean;
  /** What the metrics have been told. */
  readonly told: Record<Counted, number>;
}

/** Values sealed and opened, by data key, since the report began; bounded, the longest unused key folded into the rest first. */
export class KeyUsage {
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #keys = new Map<string, UsageCount>();
  readonly #other = newCount();
  readonly #limit: number;

  constructor(clock: Pick<Clock, "wallMs">, limit = usageReportKeys) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** The count of a key that has been unwrapped. Only such keys get here: what a value merely claims is counted nowhere. */
  of(id: Buffer): UsageCount {
    const name = id.toString("hex");
    const known = this.#keys.get(name) ?? this.#begin(name);
    known.lastAsked = this.#clock.wallMs();
    return known;
  }

  sealed(count: UsageCount, values: number): void {
    if (values === 0) return;
    const kept = count.folded ? this.#other : count;
    kept.sealed += values;
    kept.lastSealed = this.#clock.wallMs();
  }

  opened(count: UsageCount, values: number): void {
    if (values === 0) return;
    const kept = count.folded ? this.#other : count;
    kept.opened += values;
    kept.lastOpened = this.#clock.wallMs();
  }

  /** Each key that was used, by its id in 64 hex digits. */
  entries(): IterableIterator<[string, UsageCount]> {
    return this.#keys.entries();
  }

  /** What was counted under keys that found no room. */
  get other(): UsageCount {
    return this.#other;
  }

  /** Goes on from what a former process of this sidecar counted. */
  add({ keys, other }: Pick<UsageReport, "keys" | "other">): void {
    for (const [id, counts] of Object.entries(keys)) addTo(this.of(Buffer.from(id, "hex")), countOf(counts));
    addTo(this.#other, { ...newCount(), ...other });
  }

  /** The members of a report that are counted here. Keys that nothing was done under are left out. */
  report(): Pick<UsageReport, "keys" | "other"> {
    const used = [...this.#keys].filter(([, { sealed, opened }]) => sealed + opened > 0);
    const { sealed, opened } = this.#other;
    return { keys: Object.fromEntries(used.map(([id, count]) => [id, printed(count)])), other: { sealed, opened } };
  }

  #begin(name: string): UsageCount {
    if (this.#keys.size >= this.#limit) this.#foldOldest();
    const count = newCount();
    this.#keys.set(name, count);
    return count;
  }

  #foldOldest(): void {
    let oldest: { readonly id: string; readonly count: UsageCount; readonly at: number } | undefined;
    for (const [id, count] of this.#keys) {
      const at = Math.max(count.lastSealed, count.lastOpened, count.lastAsked);
      if (oldest === undefined || at < oldest.at) oldest = { id, count, at };
    }
    if (oldest === undefined) return;
    this.#keys.delete(oldest.id);
    addTo(this.#other, oldest.count);
    oldest.count.folded = true;
  }
}

const newCount = (): UsageCount => ({
  sealed: 0,
  opened: 0,
  lastSealed: 0,
  lastOpened: 0,
  unwraps: 0,
  lastAsked: 0,
  folded: false,
  told: { sealed: 0, opened: 0, unwraps: 0 },
});

function countOf({ sealed, opened, lastSealed, lastOpened }: KeyUsageCounts): UsageCount {
  return { ...newCount(), sealed, opened, lastSealed: msOf(lastSealed), lastOpened: msOf(lastOpened) };
}

const msOf = (time: string | undefined): number => (time === undefined ? 0 : Date.parse(time));

function addTo(count: UsageCount, more: UsageCount): void {
  for (const member of ["sealed", "opened", "unwraps"] as const) {
    count[member] += more[member];
    count.told[member] += more.told[member];
  }
  count.lastSealed = Math.max(count.lastSealed, more.lastSealed);
  count.lastOpened = Math.max(count.lastOpened, more.lastOpened);
}

function printed({ sealed, opened, lastSealed, lastOpened }: UsageCount): KeyUsageCounts {
  return {
    sealed,
    opened,
    ...(lastSealed === 0 ? {} : { lastSealed: printUsageTime(lastSealed) }),
    ...(lastOpened === 0 ? {} : { lastOpened: printUsageTime(lastOpened) }),
  };
}
