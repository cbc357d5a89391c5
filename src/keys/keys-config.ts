import type { SealedVersion } from "../crypto/sealed-value.ts";

/** How a sealed value names its data key. */
export type KeyForm = "keyring" | "inline";

/** The member `keys` of the sidecar file. Times in milliseconds. */
export interface KeysConfig {
  /** The form that is sealed. */
  readonly form: KeyForm;
  /** The KEK that new data keys are wrapped under. */
  readonly kek: string;
  /**
   * Further KEKs that every new keyring entry is wrapped under, in the order in which they are asked when `kek` cannot be: a
   * second cloud, or an offline recovery key.
   */
  readonly wraps?: readonly string[] | undefined;
  /** Path of the keyring file or of the folder of its shards. Needed where the keyring form is sealed or accepted. */
  readonly keyring?: string | undefined;
  /** Pins the keyring's root: 64 lower-case hex digits. */
  readonly rootId?: string | undefined;
  /** The forms that are opened; absent = the one that is sealed. A value of another form costs no KMS call. */
  readonly accept?: readonly KeyForm[] | undefined;
  /**
   * The oldest version of sealed values that is opened; absent = every version. There is one version yet: whoever adds another
   * has the opening side compare.
   */
  readonly minVersion?: SealedVersion | undefined;
  /** When a data key is overdue: inline makes a new one, a keyring only says so. */
  readonly sealing: SealingLimits;
  readonly cache: {
    /** How long an unwrapped key is trusted before the key service is asked again. */
    readonly age: number;
    /** Most unwrapped keys in memory. */
    readonly entries: number;
  };
  /** When `keys rotate --due` finds something to do. */
  readonly rotation?: RotationTimes | undefined;
  /** Where this sidecar keeps its counts of values per key, through restarts. */
  readonly usageReport?: string | undefined;
  /** Extends `cache.age` while the key service is out of reach; a refusal ends the use of a key at once. */
  readonly outageBudget: number;
}

export interface SealingLimits {
  readonly age: number;
  readonly values: number;
  readonly bytes: number;
}

/** Milliseconds. */
export interface RotationTimes {
  /** A new randomized key for each scope whose newest one is this old. Absent = never by schedule. */
  readonly every?: number | undefined;
  /** How long a key goes on opening after it sealed last before it is eligible to retire: 30 to 90 days. */
  readonly decryptOnly: number;
}

export const defaultRotation: RotationTimes = Object.freeze({ decryptOnly: 60 * 86_400_000 });
