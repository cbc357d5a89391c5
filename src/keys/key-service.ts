import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Keys } from "./keys.ts";
import type { KeyForm } from "./keys-config.ts";
import type { KmsByName } from "./unwrapper.ts";

/** What the keys layer needs of the world. */
export interface KeysPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
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
export interface KeyService extends Keys {
  /**
   * Verifies the keyring, where there is one. With the key service out of reach it still resolves, not ready, and goes on
   * trying; everything else that is wrong rejects: `file_unreadable`, `keyring_*`, `kms_denied`, `kms_not_mine`, `kms_broken`.
   */
  start(): Promise<void>;
  /** Drops and zeroes every key that nobody holds. */
  close(): Promise<void>;
  readiness(): KeyReadiness;
  readonly status: KeyStatus;
}
