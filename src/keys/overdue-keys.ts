import type { DataKey } from "../crypto/data-key.ts";
import type { KeysPorts } from "./key-service.ts";
import type { KeyringEntry } from "./keyring/keyring-file.ts";
import type { SealingLimits } from "./keys-config.ts";
import { limitReached } from "./sealing-term.ts";

/** Says, once per key in memory, that a keyring's key seals beyond its limits: only an administrator can rotate it. */
export class OverdueKeys {
  readonly #limits: SealingLimits;
  readonly #ports: Pick<KeysPorts, "clock" | "log" | "metrics">;
  readonly #told = new WeakSet<DataKey>();

  constructor(limits: SealingLimits, ports: Pick<KeysPorts, "clock" | "log" | "metrics">) {
    this.#limits = limits;
    this.#ports = ports;
  }

  look(key: DataKey, entry: KeyringEntry): void {
    if (this.#told.has(key)) return;
    // The file's own time is a wall clock's; nothing but this warning depends on it.
    const limit = limitReached(this.#limits, key, this.#ports.clock.wallMs() - Date.parse(entry.createdAt));
    if (limit === undefined) return;
    this.#told.add(key);
    this.#ports.metrics.count("sealwright_data_key_overdue_total", { limit });
    this.#ports.log.warn("data_key_overdue", { keyId: entry.id.slice(0, 16), reason: limit });
  }
}
