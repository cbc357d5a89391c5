import type { KeyForm } from "../keys-config.ts";
import type { KeyState } from "../keyring/keyring-file.ts";

/** What becomes of one data key if from now on nobody can reach the key service. Seconds; 0 = fails at once. */
export interface KeyOutlook {
  /** 64 hex digits. */
  readonly key: string;
  readonly form: KeyForm;
  /** Absent for the inline form. */
  readonly state?: KeyState;
  readonly inMemory: boolean;
  /** How long nobody would notice: the key service is not needed for it before. */
  readonly trustedFor: number;
  /** Until it can seal no more; absent where it does not seal. */
  readonly seals?: number;
  /** Until it can open no more. */
  readonly opens: number;
}

/** The first failure of each kind, with the keys that are in memory; absent = nothing of the kind is in memory. */
export interface DarkTimes {
  readonly seal?: number;
  readonly open?: number;
}

/** What the whole sidecar could still do without its key service. */
export interface Outlook {
  readonly keys: readonly KeyOutlook[];
  readonly firstDark: DarkTimes;
  /** Scopes that could not seal and keys that could not open at all: not in memory. */
  readonly cold: { readonly seal: number; readonly open: number };
}
