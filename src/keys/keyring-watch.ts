import { asSealwrightError, hasCode } from "../base/sealwright-error.ts";
import type { KeysPorts } from "./key-service.ts";
import type { Keyring } from "./keyring.ts";
import { KeyringIndex } from "./keyring-index.ts";
import type { KeyringKeys } from "./keyring-keys.ts";
import { KeyringSource } from "./keyring-source.ts";
import type { KeyringPlace } from "./keyring-store.ts";

/** How often the file is looked at, milliseconds. An unchanged one costs one read. */
const lookMs = 10_000;

/**
 * Keeps a sidecar's keyring up to date, so that a pending key is everywhere before it seals. A file that cannot be read, is
 * older or forged changes nothing: the verified one stays in use, and the failure is told.
 */
export class KeyringWatch {
  readonly keys: KeyringKeys;
  readonly #source: KeyringSource;
  readonly #ports: KeysPorts;
  #failure: string | undefined;
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(keys: KeyringKeys, place: KeyringPlace, ports: KeysPorts) {
    this.keys = keys;
    this.#source = new KeyringSource(place);
    this.#ports = ports;
  }

  /** Code of the last failure, until a look succeeds. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Looks once, and from then on in the background. Rejects unless only the key service is out of reach. */
  async start(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      if (!hasCode(error, "kms_unavailable")) throw error;
      this.#tell(error);
    }
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.keys.cache.close();
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#ports.clock.after(lookMs, () => {
      this.#look()
        .catch((error: unknown) => this.#tell(error))
        .finally(() => this.#lookLater());
    });
  }

  async #look(): Promise<void> {
    const keyring = await this.#source.read();
    this.#failure = undefined;
    if (this.#stopped) return;
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

  #tell(error: unknown): void {
    const { code, facts } = asSealwrightError(error);
    this.#failure = code;
    this.#ports.log.error("keyring_not_loaded", {
      code,
      ...(facts.reason === undefined ? {} : { reason: facts.reason }),
      ...(facts.file === undefined ? {} : { file: facts.file }),
    });
  }
}
