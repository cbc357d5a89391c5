import type { ErrorCode } from "../base/error-table.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { asSealwrightError, SealwrightError } from "../base/sealwright-error.ts";
import { equalBytes } from "../crypto/constant-time.ts";
import { DataKey } from "../crypto/data-key.ts";
import type { Kms } from "../kms/kms.ts";
import type { WrappedKey } from "./wrapped-key.ts";
import { wrapsInOrder } from "./wrap-order.ts";

export type KmsByName = ReadonlyMap<string, Kms>;

/** A data key, held once by the caller, and the KEK that gave it. */
export interface UnwrappedBy {
  readonly dataKey: DataKey;
  readonly kek: string;
}

interface UnwrapperPorts {
  readonly kms: KmsByName;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Which failure speaks for a key of several wraps, the first that occurs. A service out of reach comes first: the others may
 * have been refused rightly (a recovery key that no sidecar may use), and the outage budget bounds what follows from it.
 */
const telling: readonly ErrorCode[] = ["kms_unavailable", "kms_denied", "kms_broken", "kms_not_mine"];

/**
 * Unwraps data keys by the first KEK, in order of preference, that knows them; says when it is not the preferred one. Any KEK's
 * consent is enough: to end a key's use, each KEK that wraps it has to refuse it.
 */
export class Unwrapper {
  readonly #ports: UnwrapperPorts;
  readonly #preferred: readonly string[];
  /** By the KEK that should have served: the one that served in its place. */
  readonly #standIns = new Map<string, string>();

  constructor(ports: UnwrapperPorts, preferred: readonly string[]) {
    this.#ports = ports;
    this.#preferred = preferred;
  }

  /** True when some KEK of the configuration wraps `key` and can unwrap it here, so that asking can help. */
  canUnwrap(key: WrappedKey): boolean {
    return this.#inOrder(key).length > 0;
  }

  /**
   * `servedBy`: the KEK that unwrapped this key before. Its refusal speaks for all of them, however many are out of reach: it is
   * the one that let the key be used.
   * Throws `kms_unavailable`, `kms_denied`, `kms_broken` (also for a key that is not the one asked for), `kms_not_mine` (also
   * where no KEK of the configuration can unwrap).
   */
  async unwrap(key: WrappedKey, servedBy?: string): Promise<UnwrappedBy> {
    const failures: SealwrightError[] = [];
    const asked = this.#inOrder(key);
    for (const { wrap, kms } of asked) {
      const { kek, wrapped } = wrap;
      try {
        const dataKey = checked(key.id, await kms.unwrap(wrapped, key.context));
        this.#served(kek, asked[0]?.wrap.kek ?? kek);
        return { dataKey, kek };
      } catch (error) {
        failures.push(asSealwrightError(error).withFacts({ kek }));
      }
    }
    throw tellingFailure(failures, servedBy);
  }

  #inOrder(key: WrappedKey) {
    return wrapsInOrder(key.wraps, { kms: this.#ports.kms, preferred: this.#preferred });
  }

  #served(kek: string, first: string): void {
    const { log, metrics } = this.#ports;
    metrics.count("sealwright_data_keys_unwrapped_total", { kek });
    const before = this.#standIns.get(first);
    if (kek === first) {
      if (this.#standIns.delete(first)) log.info("preferred_kek_serves_again", { kek });
      return;
    }
    if (before === kek) return;
    this.#standIns.set(first, kek);
    log.warn("data_keys_served_by_another_kek", { kek, reason: `in place of ${first}` });
  }
}

function tellingFailure(failures: readonly SealwrightError[], servedBy: string | undefined): SealwrightError {
  const refusal = failures.find(
    ({ code, facts }) =>
      servedBy !== undefined && facts.kek === servedBy && ["kms_denied", "kms_not_mine"].includes(code),
  );
  if (refusal !== undefined) return refusal;
  for (const code of telling) {
    const failure = failures.find((each) => each.code === code);
    if (failure !== undefined) return failure;
  }
  return failures[0] ?? new SealwrightError("kms_not_mine", { reason: "no KEK of the configuration can unwrap it" });
}

/** The id commits to the key: whatever the service answered, only the key that was meant gets through. */
function checked(id: Buffer | undefined, bytes: Buffer): DataKey {
  const dataKey = DataKey.fromBytes(bytes);
  if (id === undefined || equalBytes(dataKey.id, id)) return dataKey;
  dataKey.release();
  throw new SealwrightError("kms_broken", { reason: "unwrapped to another key" });
}
