import { SealwrightError } from "../base/sealwright-error.ts";
import type { KeyReference } from "../crypto/types.ts";
import { openFailed } from "./key-errors.ts";
import type { Keys, KeyScope, KeyUse, OpeningKey, SealingKey } from "./keys.ts";
import type { KeyForm } from "./keys-config.ts";

interface ViewedForms {
  /** The form that is sealed. */
  readonly form: KeyForm;
  readonly accepted: ReadonlySet<KeyForm>;
  readonly inline: Keys | undefined;
  /** One generation of the keyring. */
  readonly keyring: Keys | undefined;
}

/** The keys of all forms as one message sees them. */
export class FormView implements Keys {
  readonly #forms: ViewedForms;

  constructor(forms: ViewedForms) {
    this.#forms = forms;
  }

  get keyring(): Keys | undefined {
    return this.#forms.keyring;
  }

  sealer(scope: KeyScope, use: KeyUse): SealingKey | Promise<SealingKey> {
    return this.#keysOf(this.#forms.form).sealer(scope, use);
  }

  opener(reference: KeyReference, scope: KeyScope): OpeningKey | Promise<OpeningKey> {
    if (!this.#forms.accepted.has(reference.form)) throw openFailed("foreign form");
    return this.#keysOf(reference.form).opener(reference, scope);
  }

  #keysOf(form: KeyForm): Keys {
    const keys = this.#forms[form];
    if (keys === undefined) throw new SealwrightError("internal", { reason: "form without keys" });
    return keys;
  }
}
