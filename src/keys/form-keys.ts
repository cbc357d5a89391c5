import type { KeyReference } from "../crypto/types.ts";
import type { InlineKeys } from "./inline-keys.ts";
import { openFailed } from "./key-errors.ts";
import type { KeyCache } from "./key-cache.ts";
import type { KeyReadiness, KeyService, KeyStatus } from "./key-service.ts";
import type { KeyringWatch } from "./keyring-watch.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import type { KeyForm } from "./keys-config.ts";
import { SealwrightError } from "../base/sealwright-error.ts";

interface Forms {
  readonly inline: InlineKeys | undefined;
  readonly keyring: KeyringWatch | undefined;
}

/** Seals in one form, opens those that are accepted, and costs a value of any other form nothing but a look at it. */
export class FormKeys implements KeyService {
  readonly #form: KeyForm;
  readonly #accepted: ReadonlySet<KeyForm>;
  readonly #forms: Forms;

  constructor(form: KeyForm, accepted: ReadonlySet<KeyForm>, forms: Forms) {
    this.#form = form;
    this.#accepted = accepted;
    this.#forms = forms;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    return this.#keysOf(this.#form).sealer(scope, use);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    if (!this.#accepted.has(reference.form)) throw openFailed("foreign form");
    return this.#keysOf(reference.form).opener(reference, scope);
  }

  async start(): Promise<void> {
    await this.#forms.keyring?.start();
  }

  close(): Promise<void> {
    this.#forms.keyring?.stop();
    for (const cache of this.#caches) cache.close();
    return Promise.resolve();
  }

  readiness(): KeyReadiness {
    const { keyring } = this.#forms;
    const reasons = [
      ...(keyring !== undefined && keyring.keys.index === undefined ? ["keyring not verified yet"] : []),
      ...(this.#isCutOff ? ["the key service fails and no key is in memory"] : []),
    ];
    return { ready: reasons.length === 0, reasons };
  }

  get status(): KeyStatus {
    const { keyring } = this.#forms;
    const current = keyring?.keys.index?.keyring;
    return {
      form: this.#form,
      cachedKeys: this.#caches.reduce((sum, cache) => sum + cache.size, 0),
      outage: this.#caches.some((cache) => cache.isOverdrawn),
      ...(current === undefined
        ? {}
        : {
            keyring: { generation: current.generation, entries: current.entries.length, rootId: current.root.id },
          }),
      ...(keyring?.failure === undefined ? {} : { reloadFailure: keyring.failure }),
    };
  }

  /** As long as one key can be used, traffic may come: an outage of the key service is no reason to stop serving. */
  get #isCutOff(): boolean {
    return this.#caches.some((cache) => cache.hasFailedLately) && !this.#caches.some((cache) => cache.hasUsableKey);
  }

  get #caches(): readonly KeyCache[] {
    const { inline, keyring } = this.#forms;
    return [...(inline?.caches ?? []), ...(keyring === undefined ? [] : [keyring.keys.cache])];
  }

  #keysOf(form: KeyForm): Keys {
    const keys = form === "inline" ? this.#forms.inline : this.#forms.keyring?.keys;
    if (keys === undefined) throw new SealwrightError("internal", { reason: "form without keys" });
    return keys;
  }
}
