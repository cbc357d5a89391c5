import type { Check } from "./checks.ts";
import type { PathLatency } from "./latency.ts";
import type { MemberRow } from "./member-table.ts";
import type { Operation } from "./scenario.ts";
import type { TlsHop } from "./tls-hop.ts";

/** Everything the demo shows; `--json` prints it as it is. */
export interface DemoReport {
  readonly ok: boolean;
  readonly seconds: number;
  readonly members: readonly MemberRow[];
  readonly operations: readonly Operation[];
  readonly disk: DiskReport;
  readonly hops: readonly TlsHop[];
  readonly kms: KmsReport;
  readonly latency: readonly PathLatency[];
  readonly checks: readonly Check[];
  /** With `--keep`: commands to try. */
  readonly tryOut?: readonly TryOut[];
}

export interface DiskReport {
  readonly files: number;
  readonly bytes: number;
  /** How many clear texts were searched for, and how many files held one. */
  readonly texts: number;
  readonly hits: number;
  /** Texts that went past Sealwright and were found, which shows that the search finds things. */
  readonly controls: number;
}

export interface KmsReport {
  readonly calls: number;
  readonly operations: Readonly<Record<string, number>>;
  readonly sealed: number;
  readonly opened: number;
}

export interface TryOut {
  readonly what: string;
  readonly command: string;
}
