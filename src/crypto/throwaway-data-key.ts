import { randomBytes } from "node:crypto";
import { DataKey } from "./data-key.ts";
import { dataKeyBytes } from "./key-derivation.ts";

/** A data key that nothing wraps: what it seals can be opened in this process only. For showing what sealing does. */
export function throwawayDataKey(): DataKey {
  return DataKey.fromBytes(randomBytes(dataKeyBytes));
}
