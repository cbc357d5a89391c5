/** What is known of one key's use. Times: milliseconds since 1970. */
export interface KeySightings {
  /** Values under the key that scans have found. */
  readonly found: number;
  /** When the newest file that holds one was written. */
  readonly foundAt?: number | undefined;
  /** Counts of the reports, all sidecars together. */
  readonly sealed: number;
  readonly opened: number;
  readonly lastSealed?: number | undefined;
  readonly lastOpened?: number | undefined;
}

export const noSightings: KeySightings = Object.freeze({ found: 0, sealed: 0, opened: 0 });

/** One sidecar's usage report, as far as it says what it can know. */
export interface ReportCoverage {
  /** Its counts begin here. */
  readonly since: number;
  readonly writtenAt: number;
  /** Values of keys for which it had no room: any of them may be the key that is looked for. */
  readonly unattributed: number;
}

/** One scan of stored data. */
export interface ScanCoverage {
  readonly files: number;
  /** When the newest of its files was written. */
  readonly newest?: number | undefined;
  /** Files that could not be read to their end. */
  readonly unreadable: number;
}

/** What was looked at: what nobody looked at is no evidence. */
export interface Coverage {
  readonly reports: readonly ReportCoverage[];
  readonly scans: readonly ScanCoverage[];
}
