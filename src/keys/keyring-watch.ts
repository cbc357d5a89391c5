import { FileWatch } from "../base/file-watch.ts";
import { asSealwrightError, hasCode } from "../base/sealwright-error.ts";
import type { KeysPorts } from "./key-service.ts";
import type { Keyring } from "./keyring/keyring.ts";
import { KeyringIndex } from "./keyring-index.ts";
import type { KeyringKeys } from "./keyring-keys.ts";
import { KeyringSource } from "./keyring-source.ts";
import type { KeyringPlace } from "./keyring/change-keyring.ts";

/** How often the keyring is looked at in any case, milliseconds. An unchanged one costs one read. */
const lookMs = 10_000;

/**
 * Keeps a sidecar's keyring up to date, so that a pending key is everywhere before it seals. A keyring that cannot be read, is
 * older or forged changes nothing: the verified one stays in use, and the failure is told, once until it is another.
 */
export class KeyringWatch {
  readonly keys: KeyringKeys;
  readonly #source: KeyringSource;
  readonly #ports: KeysPorts;
  readonly #watch: FileWatch;
  #failure: string | undefined;
  /** As it was told. */
  #told = "";
  #goodLookAt: number | undefined;
  #stopped = false;

  constructor(keys: KeyringKeys, place: KeyringPlace, ports: KeysPorts) {
    this.keys = keys;
    this.#source = new KeyringSource(place);
    this.#ports = ports;
    this.#watch = new FileWatch({
      paths: place.store.watchPath === undefined ? [] : [place.store.watchPath],
      look: () => this.#lookAndTell(),
      pollMs: lookMs,
      clock: ports.clock,
    });
  }

  /** Code of the last failure, until a look succeeds. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Since the keyring in place was last found good; `undefined` = never. */
  get secondsSinceGoodLook(): number | undefined {
    return this.#goodLookAt === undefined ? undefined : (this.#ports.clock.monotonicMs() - this.#goodLookAt) / 1000;
  }

  /** Looks once, and from then on in the background. Rejects unless only the key service is out of reach. */
  async start(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      if (!hasCode(error, "kms_unavailable")) throw error;
      this.#tell(error);
    }
    if (!this.#stopped) this.#watch.start();
  }

  /** Looks at once. */
  lookNow(): Promise<void> {
    return this.#watch.lookNow();
  }

  /** Forgets all keys, the one that verifies too. What it verified stays in use. */
  purge(): void {
    this.keys.purge();
    this.#source.end();
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
    this.#source.end();
    this.keys.close();
  }

  async #lookAndTell(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      this.#tell(error);
    }
  }

  async #look(): Promise<void> {
    const keyring = await this.#source.read();
    if (this.#stopped) {
      this.#source.end();
      return;
    }
    this.#recovered();
    if (keyring !== undefined) this.#use(keyring);
    // Of an unchanged keyring too: what could not be unwrapped before is tried again.
    void this.keys.unwrapAhead();
  }

  #use(keyring: Keyring): void {
    this.keys.use(new KeyringIndex(keyring));
    const { generation, entries } = keyring;
    this.#ports.metrics.gauge("sealwright_keyring_generation", generation);
    this.#ports.log.info("keyring_in_use", { generation, count: entries.length });
  }

  #recovered(): void {
    this.#goodLookAt = this.#ports.clock.monotonicMs();
    if (this.#failure !== undefined) this.#ports.log.info("keyring_good_again");
    this.#failure = undefined;
    this.#told = "";
  }

  #tell(error: unknown): void {
    const { code, facts } = asSealwrightError(error);
    const { reason, file, kek } = facts;
    this.#failure = code;
    this.#ports.metrics.count("sealwright_keyring_reload_failures_total", { code });
    const told = [code, reason, file, kek].join("|");
    if (told === this.#told) return;
    this.#told = told;
    this.#ports.log.error("keyring_not_loaded", {
      code,
      ...(reason === undefined ? {} : { reason }),
      ...(file === undefined ? {} : { file }),
      ...(kek === undefined ? {} : { kek }),
    });
  }
}
