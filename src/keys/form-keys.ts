import type { KeyReference } from "../crypto/types.ts";
import { randomHex } from "../crypto/random.ts";
import { outlookOf } from "./usage/form-outlook.ts";
import { FormView } from "./form-view.ts";
import type { InlineKeys } from "./inline-keys.ts";
import type { KeyCache } from "./key-cache.ts";
import { drillReport, type DrillReport } from "./usage/key-drill.ts";
import { KeyMeasures } from "./usage/key-measures.ts";
import type { Outlook } from "./usage/key-outlook.ts";
import type { KeyReadiness, KeyService, KeyStatus } from "./key-service.ts";
import type { KeyTools } from "./key-tools.ts";
import type { KeyringWatch } from "./keyring-watch.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import type { KeyForm } from "./keys-config.ts";
import type { UsageFile } from "./usage/usage-file.ts";

/** Between two looks for keys in memory that nobody can use any more, milliseconds. */
const sweepMs = 60_000;

export interface KeyForms {
  /** The form that is sealed. */
  readonly form: KeyForm;
  readonly accepted: ReadonlySet<KeyForm>;
  readonly inline: InlineKeys | undefined;
  readonly keyring: KeyringWatch | undefined;
  readonly usageFile: UsageFile | undefined;
}

/** Seals in one form, opens those that are accepted, and costs a value of any other form nothing but a look at it. */
export class FormKeys implements KeyService {
  readonly #forms: KeyForms;
  readonly #tools: KeyTools;
  readonly #measures: KeyMeasures;
  #view: FormView;
  #cancelSweep: () => void = () => undefined;

  constructor(forms: KeyForms, tools: KeyTools) {
    this.#forms = forms;
    this.#tools = tools;
    this.#measures = new KeyMeasures(tools.ports.metrics);
    this.#view = this.#viewNow();
  }

  snapshot(): Keys {
    // The same view serves every message of one generation.
    if (this.#view.keyring !== this.#forms.keyring?.keys.snapshot()) this.#view = this.#viewNow();
    return this.#view;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    return this.snapshot().sealer(scope, use);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    return this.snapshot().opener(reference, scope);
  }

  async start(): Promise<void> {
    await this.#forms.usageFile?.start(randomHex(16));
    this.#sweepLater();
    await this.#forms.keyring?.start();
  }

  async close(): Promise<void> {
    this.#cancelSweep();
    this.#forms.keyring?.stop();
    for (const cache of this.#caches) cache.close();
    await this.#forms.usageFile?.stop();
  }

  async purge(): Promise<number> {
    const { inline, keyring } = this.#forms;
    const count = this.status.cachedKeys;
    inline?.purge();
    keyring?.purge();
    this.#tools.ports.metrics.count("sealwright_key_purges_total");
    this.#tools.ports.log.warn("data_keys_purged", { count });
    await this.refresh();
    return count;
  }

  async refresh(): Promise<void> {
    await this.#forms.keyring?.lookNow();
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
    const { form, keyring } = this.#forms;
    const current = keyring?.keys.index?.keyring;
    return {
      form,
      cachedKeys: this.#caches.reduce((sum, cache) => sum + cache.size, 0),
      outage: this.#isOutage,
      ...(current === undefined
        ? {}
        : { keyring: { generation: current.generation, entries: current.entries.length, rootId: current.root.id } }),
      ...(keyring?.failure === undefined ? {} : { reloadFailure: keyring.failure }),
    };
  }

  drill(): DrillReport {
    return drillReport(this.#outlook, this.#isOutage);
  }

  notes(): readonly string[] {
    const { keyring } = this.#forms;
    const failure = keyring?.keys.index === undefined ? undefined : keyring.failure;
    return [
      ...(failure === undefined ? [] : [`the keyring was not read again (${failure}): the one before stays in use`]),
      ...(this.#isOutage ? [outageNote(this.#outlook)] : []),
    ];
  }

  measure(): void {
    const { keyring } = this.#forms;
    // Before a keyring is verified nobody knows which keys may be named.
    if (keyring !== undefined && keyring.keys.index === undefined) return;
    this.#measures.admit(keyring?.keys.index?.all() ?? []);
    this.#measures.counts(this.#tools.usage);
    this.#measures.outlook(this.#outlook);
    const age = keyring?.secondsSinceGoodLook;
    if (age !== undefined) this.#tools.ports.metrics.gauge("sealwright_keyring_age_of_last_look", age);
  }

  get #outlook(): Outlook {
    const { inline, keyring } = this.#forms;
    return outlookOf({ inline, keyring: keyring?.keys }, this.#tools.ports.clock.monotonicMs());
  }

  get #isOutage(): boolean {
    return this.#caches.some((cache) => cache.isOverdrawn);
  }

  /** As long as one key can be used, traffic may come: an outage of the key service is no reason to stop serving. */
  get #isCutOff(): boolean {
    return this.#caches.some((cache) => cache.hasFailedLately) && !this.#caches.some((cache) => cache.hasUsableKey);
  }

  get #caches(): readonly KeyCache[] {
    const { inline, keyring } = this.#forms;
    return [...(inline?.caches ?? []), ...(keyring === undefined ? [] : [keyring.keys.cache])];
  }

  #viewNow(): FormView {
    const { form, accepted, inline, keyring } = this.#forms;
    return new FormView({ form, accepted, inline, keyring: keyring?.keys.snapshot() });
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#tools.ports.clock.after(sweepMs, () => {
      for (const cache of this.#caches) cache.sweep();
      this.#sweepLater();
    });
  }
}

function outageNote({ firstDark: { seal, open } }: Outlook): string {
  const until = (seconds: number | undefined): string => (seconds === undefined ? "no key" : `${seconds} s`);
  return `the key service is out of reach; until keys in memory fail: ${until(seal)} for writes, ${until(open)} for reads`;
}
