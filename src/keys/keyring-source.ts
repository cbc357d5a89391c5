import { hasCode, SealwrightError } from "../base/sealwright-error.ts";
import { joinShards, type Keyring } from "./keyring/keyring.ts";
import type { KeyringMac } from "./keyring/keyring-mac.ts";
import { verifyKeyring } from "./keyring/keyring-root.ts";
import { parseStored, type StoredBytes } from "./keyring/keyring-store.ts";
import type { KeyringPlace } from "./keyring/change-keyring.ts";

/**
 * Reads the keyring for a sidecar, again and again: what has not changed is neither parsed nor verified twice, what is older than what was
 * seen is refused. What was seen is remembered in memory only. The root is unwrapped once, and again when its wraps change: an
 * outage of the key service keeps no sidecar from learning a new key ahead of its use.
 */
export class KeyringSource {
  readonly #place: KeyringPlace;
  #bytes: readonly Buffer[] = [];
  /** What was refused last, and why: that cannot change while the bytes do not. */
  #refused: { readonly bytes: readonly Buffer[]; readonly failure: SealwrightError } | undefined;
  /** Highest generation seen, by shard; of the number of shards that was seen last. */
  #seen: readonly number[] = [];
  #mac: KeyringMac | undefined;
  /** The root, wraps and all, that gave `#mac`. */
  #root = "";

  constructor(place: KeyringPlace) {
    this.#place = place;
  }

  /** The verified keyring, or `undefined` while it is the one given last. Throws `keyring_*`, `file_unreadable`, `kms_*`. */
  async read(): Promise<Keyring | undefined> {
    const stored = await this.#place.store.read();
    const bytes = stored.map((shard) => shard.bytes);
    if (isSame(bytes, this.#bytes)) return undefined;
    if (this.#refused !== undefined && isSame(bytes, this.#refused.bytes)) throw this.#refused.failure;
    try {
      const keyring = await this.#accepted(stored);
      this.#bytes = bytes;
      this.#refused = undefined;
      return keyring;
    } catch (error) {
      // Not what is forged: a wrong answer of the key service can look so.
      const forGood = hasCode(error, "keyring_invalid", "keyring_stale");
      this.#refused = forGood ? { bytes, failure: error } : undefined;
      throw error;
    }
  }

  async #accepted(stored: readonly StoredBytes[]): Promise<Keyring> {
    const keyring = joinShards(parseStored(stored).map(({ file }) => file));
    // Verified before its generation is believed: nobody can lift what counts as seen by a file of their own.
    await this.#verify(keyring);
    this.#refuseOlder(keyring);
    this.#seen = keyring.shards.map(({ generation }) => generation);
    return keyring;
  }

  /** Zeroes what verifies; the next read unwraps the root anew. */
  end(): void {
    this.#mac?.end();
    this.#mac = undefined;
    this.#root = "";
  }

  async #verify(keyring: Keyring): Promise<void> {
    const root = JSON.stringify(keyring.root);
    if (this.#mac !== undefined && root === this.#root) {
      for (const shard of keyring.shards) this.#mac.verify(shard);
      return;
    }
    const { kms, rootId, keks } = this.#place;
    const mac = await verifyKeyring(keyring, kms, rootId, keks);
    this.end();
    this.#mac = mac;
    this.#root = root;
  }

  /** Each shard against its own past; after a change of the number of shards, each against the highest of all. */
  #refuseOlder({ shards }: Keyring): void {
    const sameCount = shards.length === this.#seen.length;
    const highest = Math.max(0, ...this.#seen);
    const older = shards.some(({ generation }, index) => generation < (sameCount ? (this.#seen[index] ?? 0) : highest));
    if (older) throw new SealwrightError("keyring_stale", { file: this.#place.store.location });
  }
}

function isSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((each, index) => b[index]?.equals(each) === true);
}
