import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { DrillReport } from "./usage/key-drill.ts";
import type { LiveKeys } from "./keys.ts";
import type { KeyForm } from "./keys-config.ts";
import type { KmsByName } from "./unwrapper.ts";

/** What the keys layer needs of the world. */
export interface KeysPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Spreads work over time: a number in [0, 1). Absent = Math.random; no secret depends on it. */
  readonly random?: (() => number) | undefined;
  /** Every KEK of the configuration by its name. Closed by who opened them, after the key service. */
  readonly kms: KmsByName;
}

export interface KeyReadiness {
  readonly ready: boolean;
  /** Why not, in words that hold no data. */
  readonly reasons: readonly string[];
}

/** For people: health page and logs. */
export interface KeyStatus {
  readonly form: KeyForm;
  readonly cachedKeys: number;
  /** Some key is used beyond `cache.age` because the key service is out of reach. */
  readonly outage: boolean;
  /** Absent while no keyring is verified, and where none is configured. */
  readonly keyring?: { readonly generation: number; readonly entries: number; readonly rootId: string };
  /** Code of the last failure to read a changed keyring; the one before stays in use. */
  readonly reloadFailure?: string;
}

/** The keys of a running sidecar. */
export interface KeyService extends LiveKeys {
  /**
   * Verifies the keyring, where there is one. With the key service out of reach it still resolves, not ready, and goes on
   * trying; everything else that is wrong rejects: `file_unreadable`, `keyring_*`, `kms_denied`, `kms_not_mine`, `kms_broken`.
   */
  start(): Promise<void>;
  /** Drops and zeroes every key that nobody holds, and keeps what was counted. */
  close(): Promise<void>;
  /**
   * Drops every key in memory, those under way when they are given back, and all that was remembered of refusals; then looks at
   * the keyring. Whatever is asked for next is asked of the key service. Gives how many keys there were.
   */
  purge(): Promise<number>;
  /** Looks at the keyring now; settles when what stands there is in use or refused. Never rejects. */
  refresh(): Promise<void>;
  readiness(): KeyReadiness;
  readonly status: KeyStatus;
  /** What would happen if the key service were out of reach from now on. Asks nobody. */
  drill(): DrillReport;
  /** What an operator should know although it stops nothing. */
  notes(): readonly string[];
  /** Tells the metrics what changes with time alone and what is counted by key: to be called when they are read. */
  measure(): void;
}
