import { z } from "zod";
import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import { SingleFlight } from "../../base/single-flight.ts";
import { contextBytes } from "../context.ts";
import type { VaultClient } from "./vault-client.ts";
import { readVaultKey } from "./vault-wire.ts";

/** A scope that no key ever has. */
const strangeContext = contextBytes({ purpose: "probe", sealwright: "v1" }).toString("base64");

const described = z.object({ data: z.object({ derived: z.boolean() }) });

/**
 * Proof that the key binds contexts. Transit takes a context for a key that is not derived and ignores it; then whoever may
 * write wraps could move them between tenants. So once per process a wrap that opened under its own context must not open under
 * another one. That needs no permission beyond those of use. A key cannot change from derived to not.
 */
export class VaultBinding {
  readonly #client: VaultClient;
  readonly #flights = new SingleFlight<undefined>();
  #proven = false;

  constructor(client: VaultClient) {
    this.#client = client;
  }

  get isProven(): boolean {
    return this.#proven;
  }

  /** `ciphertext` opens under its own context. Throws `kms_broken` where it opens under another one too. */
  async prove(ciphertext: Buffer): Promise<void> {
    if (!this.#proven) await this.#flights.run("proof", () => this.#tried(ciphertext.toString("latin1")));
  }

  async #tried(ciphertext: string): Promise<undefined> {
    try {
      const answer = await this.#client.ask("decrypt", { ciphertext, context: strangeContext });
      readVaultKey(answer).fill(0);
    } catch (error) {
      if (hasCode(error, "kms_not_mine")) this.#proven = true;
      // A policy may list the contexts that this caller can name.
      else if (hasCode(error, "kms_denied")) await this.#asked(error);
      else throw error;
      return;
    }
    throw notDerived();
  }

  async #asked(denial: SealwrightError): Promise<void> {
    const { status, body } = await this.#client.describe();
    const parsed = described.safeParse(body);
    if (status !== 200 || !parsed.success) throw denial;
    if (!parsed.data.data.derived) throw notDerived();
    this.#proven = true;
  }
}

function notDerived(): SealwrightError {
  return new SealwrightError("kms_broken", { reason: "key is not derived" });
}
