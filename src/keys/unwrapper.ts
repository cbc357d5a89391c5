import type { ErrorCode } from "../base/error-table.ts";
import { asSealwrightError, SealwrightError } from "../base/sealwright-error.ts";
import { equalBytes } from "../crypto/constant-time.ts";
import { DataKey } from "../crypto/data-key.ts";
import type { Kms } from "../kms/kms.ts";
import type { WrappedKey } from "./wrapped-key.ts";

export type KmsByName = ReadonlyMap<string, Kms>;

/**
 * Which failure speaks for a key of several wraps, the first that occurs. A service out of reach comes first: the others may
 * have been refused rightly (a recovery key that no sidecar may use), and the outage budget bounds what follows from it.
 */
const telling: readonly ErrorCode[] = ["kms_unavailable", "kms_denied", "kms_broken", "kms_not_mine"];

/**
 * Unwraps `key` by the first KEK that knows it. The answer is held once by the caller.
 * Throws `kms_unavailable`, `kms_denied`, `kms_broken` (also for a key that is not the one asked for), `kms_not_mine` (also
 * where no KEK of the configuration has a wrap).
 */
export async function unwrapDataKey(key: WrappedKey, kmsByName: KmsByName): Promise<DataKey> {
  const failures: SealwrightError[] = [];
  for (const { kek, wrapped } of key.wraps) {
    const kms = kmsByName.get(kek);
    if (kms === undefined) continue;
    try {
      return checked(key.id, await kms.unwrap(wrapped, key.context));
    } catch (error) {
      failures.push(asSealwrightError(error).withFacts({ kek }));
    }
  }
  for (const code of telling) {
    const failure = failures.find((each) => each.code === code);
    if (failure !== undefined) throw failure;
  }
  throw failures[0] ?? new SealwrightError("kms_not_mine", { reason: "no KEK of the configuration wraps it" });
}

/** True when some KEK of the configuration wraps `key`, so that asking can help. */
export function hasKnownKek(key: WrappedKey, kmsByName: KmsByName): boolean {
  return key.wraps.some(({ kek }) => kmsByName.has(kek));
}

/** The id commits to the key: whatever the service answered, only the key that was meant gets through. */
function checked(id: Buffer | undefined, bytes: Buffer): DataKey {
  const dataKey = DataKey.fromBytes(bytes);
  if (id === undefined || equalBytes(dataKey.id, id)) return dataKey;
  dataKey.release();
  throw new SealwrightError("kms_broken", { reason: "unwrapped to another key" });
}
