import { randomBytes } from "node:crypto";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { contextBytes, type KmsContext } from "../../src/kms/context.ts";
import type { GeneratedKey, Kms } from "../../src/kms/kms.ts";

export interface FakeKmsCall {
  readonly operation: "generate" | "unwrap" | "wrap" | "rewrap";
  readonly context: KmsContext;
  readonly wrapped?: Buffer;
}

/**
 * A key service in memory that keeps the port's contract, counts calls and remembers contexts. `before` runs ahead of each
 * call: it throws to fail it, or waits to delay it; `edit` changes what is answered.
 */
export class FakeKms implements Kms {
  readonly calls: FakeKmsCall[] = [];
  /** The very Buffers that callers were given and must have zeroed. */
  readonly given: Buffer[] = [];
  canUnwrap = true;
  before: (call: FakeKmsCall) => void | Promise<void> = () => undefined;
  editGenerated: (key: GeneratedKey) => GeneratedKey = (key) => key;
  editUnwrapped: (plaintext: Buffer, call: FakeKmsCall) => Buffer = (plaintext) => plaintext;
  readonly #kept = new Map<string, { readonly plaintext: Buffer; readonly context: Buffer }>();

  count(operation: FakeKmsCall["operation"]): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  async generate(context: KmsContext): Promise<GeneratedKey> {
    await this.#called({ operation: "generate", context });
    const plaintext = randomBytes(32);
    const wrapped = this.keep(plaintext, context);
    return this.editGenerated({ plaintext: this.#given(plaintext), wrapped });
  }

  async unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const call = { operation: "unwrap", context, wrapped } as const;
    await this.#called(call);
    const kept = this.#kept.get(wrapped.toString("hex"));
    if (kept?.context.equals(contextBytes(context)) !== true) throw new SealwrightError("kms_not_mine");
    return this.#given(this.editUnwrapped(Buffer.from(kept.plaintext), call));
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    await this.#called({ operation: "wrap", context });
    return this.keep(plaintext, context);
  }

  async rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    await this.#called({ operation: "rewrap", context, wrapped });
    const kept = this.#kept.get(wrapped.toString("hex"));
    if (kept?.context.equals(contextBytes(context)) !== true) throw new SealwrightError("kms_not_mine");
    return this.keep(kept.plaintext, context);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What this service knows from now on as `plaintext` wrapped under `context`. Counted nowhere. */
  keep(plaintext: Buffer, context: KmsContext, wrapped = randomBytes(48)): Buffer {
    this.#kept.set(wrapped.toString("hex"), { plaintext: Buffer.from(plaintext), context: contextBytes(context) });
    return wrapped;
  }

  /** A further wrap of what `wrapped` holds. Counted nowhere. */
  rewrapNow(wrapped: Buffer, context: KmsContext): Buffer {
    const kept = this.#kept.get(wrapped.toString("hex"));
    if (kept === undefined) throw new SealwrightError("kms_not_mine");
    return this.keep(kept.plaintext, context);
  }

  async #called(call: FakeKmsCall): Promise<void> {
    this.calls.push(call);
    await this.before(call);
  }

  #given(plaintext: Buffer): Buffer {
    this.given.push(plaintext);
    return plaintext;
  }
}

export const unavailable = (): never => {
  throw new SealwrightError("kms_unavailable", { reason: "fake" });
};

export const denied = (): never => {
  throw new SealwrightError("kms_denied", { reason: "fake" });
};
