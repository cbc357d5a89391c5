import { Agent, request, type Dispatcher } from "undici";

import { SealwrightError } from "../../base/sealwright-error.ts";
import type { TestIdentity } from "./pki.ts";

/** Looks into the store past Sealwright, as somebody who stole its data would, with a client certificate of its own. */
export class StoreReader {
  readonly dispatcher: Dispatcher;
  readonly #database: string;

  /** `database`: URL of the store's database. `ca`: PEM. */
  constructor(database: string, ca: string, identity: TestIdentity) {
    this.#database = database;
    this.dispatcher = new Agent({ connect: { ca, cert: identity.cert, key: identity.key } });
  }

  /** The document's JSON text as the store answers it. */
  async text(id: string): Promise<string> {
    const { body } = await request(`${this.#database}/${encodeURIComponent(id)}`, { dispatcher: this.dispatcher });
    return body.text();
  }

  async read(id: string): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse(await this.text(id)) as Readonly<Record<string, unknown>>;
  }

  /** Changes a stored document behind everybody's back. Throws `demo_failed` when the store refuses. */
  async write(id: string, document: Readonly<Record<string, unknown>>): Promise<void> {
    const { statusCode, body } = await request(`${this.#database}/${encodeURIComponent(id)}`, {
      dispatcher: this.dispatcher,
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(document),
    });
    await body.dump();
    if (statusCode !== 201) throw new SealwrightError("demo_failed", { reason: "the store refused a document" });
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }
}
