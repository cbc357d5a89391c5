import { asSealwrightError, SealwrightError } from "../../base/sealwright-error.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { Pkcs11KmsConfig } from "../kms-config.ts";
import type { ProviderPorts } from "../kms-ports.ts";
import { ownedCopy } from "../owned-bytes.ts";
import { pkcs11Name, pkcs11Verdict, type Pkcs11Verdict } from "./pkcs11-error.ts";
import { joinPkcs11Library, type Pkcs11Library } from "./pkcs11-library.ts";
import { readPin } from "./pkcs11-pin.ts";
import { Pkcs11Token, type Pkcs11Session } from "./pkcs11-token.ts";
import { pkcs11Wrappings, type Pkcs11Wrapping } from "./pkcs11-wrapping.ts";
import { randomKey } from "../random-key.ts";
import { rewrapHere } from "../wrapped-here.ts";

const keyBytes = 32;

const codes = {
  "not mine": "kms_not_mine",
  denied: "kms_denied",
  lost: "kms_unavailable",
  busy: "kms_unavailable",
  unclear: "kms_unavailable",
} as const satisfies Readonly<Record<Pkcs11Verdict, string>>;

/** Contexts of trials; no data key has one. */
const trial: KmsContext = Object.freeze({ purpose: "trial", sealwright: "v1" });
const otherTrial: KmsContext = Object.freeze({ purpose: "other trial", sealwright: "v1" });

/**
 * An HSM through its PKCS #11 library: one AES-256 key that never leaves the token. What can wait runs on the library's own
 * threads; sessions, logins and searches exist only as synchronous calls and are made when the token is opened.
 */
class Pkcs11Kms implements Kms {
  readonly canUnwrap = true;
  readonly #config: Pkcs11KmsConfig;
  readonly #library: Pkcs11Library;
  readonly #wrapping: Pkcs11Wrapping;
  readonly #ports: ProviderPorts;
  #token: Pkcs11Token | undefined;
  #opening: Promise<Pkcs11Token> | undefined;
  /** The initialisation of the library that is no use any more; 0 = there has been none. */
  #spent: number | undefined = 0;
  #closed = false;

  constructor(config: Pkcs11KmsConfig, library: Pkcs11Library, ports: ProviderPorts) {
    this.#config = config;
    this.#library = library;
    this.#wrapping = pkcs11Wrappings[config.mechanism ?? "aes-gcm"];
    this.#ports = ports;
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return this.#done(async (session) => {
      const plaintext = this.#library.pkcs11.C_GenerateRandom(session.handle, Buffer.alloc(keyBytes));
      if (plaintext.length !== keyBytes || plaintext.every((byte) => byte === 0)) throw broken("no random key");
      try {
        return { wrapped: await this.#wrapping.wrap(session, ownedCopy(plaintext), context), plaintext };
      } catch (error) {
        plaintext.fill(0);
        throw error;
      }
    });
  }

  unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    if (!this.#wrapping.owns(wrapped)) return Promise.reject(new SealwrightError("kms_not_mine", { reason: "form" }));
    return this.#done((session) => this.#wrapping.unwrap(session, wrapped, context), "unwrap");
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    if (plaintext.length !== keyBytes) throw new SealwrightError("internal", { reason: "key length" });
    return this.#done((session) => this.#wrapping.wrap(session, ownedCopy(plaintext), context));
  }

  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return rewrapHere(this, wrapped, context);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#opening?.catch(() => undefined);
    this.#token?.close();
    await this.#library.leave(this.#ports.clock);
  }

  /** `work` on a session; once more on a token opened anew when the first one is lost. */
  async #done<T>(work: (session: Pkcs11Session) => Promise<T>, operation?: "unwrap"): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.#current();
      try {
        return await this.#library.run(() => token.withSession(work));
      } catch (error) {
        if (error instanceof SealwrightError) throw error;
        const verdict = await this.#verdict(error, token, operation);
        if (verdict !== "lost" || attempt > 1) throw failure(error, verdict);
        this.#lose(token, error);
      }
    }
  }

  /**
   * What an unclear failure of an unwrap is: whoever wraps and unwraps a key of its own right now is not broken, so the bytes
   * are not its own. Else the token counts as lost.
   */
  async #verdict(error: unknown, token: Pkcs11Token, operation: "unwrap" | undefined): Promise<Pkcs11Verdict> {
    const verdict = pkcs11Verdict(error);
    if (operation === undefined) return verdict === "not mine" ? "unclear" : verdict;
    if (verdict !== "unclear") return verdict;
    const works = await this.#library
      .run(() => token.withSession((session) => this.#tryRoundTrip(session)))
      .then(
        () => true,
        () => false,
      );
    return works ? "not mine" : "lost";
  }

  /** The token, opened where it is not, and anew where the library has been initialised since; one opening serves all. */
  #current(): Promise<Pkcs11Token> {
    if (this.#closed) return Promise.reject(new SealwrightError("kms_unavailable", { reason: "closed" }));
    const token = this.#token;
    if (token?.generation === this.#library.generation) return Promise.resolve(token);
    this.#opening ??= this.#opened()
      .catch((error: unknown) => {
        const failed = error instanceof SealwrightError ? error : failure(error, pkcs11Verdict(error));
        // Many libraries look for tokens only when they are initialised. One that refuses has been found.
        if (failed.code === "kms_unavailable") this.#spent = this.#library.generation;
        throw failed;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  async #opened(): Promise<Pkcs11Token> {
    const pin = await readPin(this.#config.pinFile);
    if (this.#spent !== undefined) await this.#library.renew(this.#spent, this.#ports.clock);
    const token = await this.#library.run(() => new Pkcs11Token(this.#library, this.#config, pin));
    try {
      await this.#library.run(() => token.withSession((session) => this.#tryBinding(session)));
    } catch (error) {
      token.close();
      throw error;
    }
    this.#spent = undefined;
    this.#token = token;
    return token;
  }

  #lose(token: Pkcs11Token, error: unknown): void {
    if (this.#token !== token) return;
    this.#token = undefined;
    this.#spent = token.generation;
    const { log, kek } = this.#ports;
    log.warn("kms_token_lost", { kek, provider: "pkcs11", reason: pkcs11Name(error) ?? "no answer" });
  }

  async #tryRoundTrip(session: Pkcs11Session): Promise<Buffer> {
    const key = randomKey();
    const wrapped = await this.#wrapping.wrap(session, ownedCopy(key), trial);
    const back = await this.#wrapping.unwrap(session, wrapped, trial);
    const same = back.equals(key);
    for (const bytes of [key, back]) bytes.fill(0);
    if (!same) throw broken("a key did not come back");
    return wrapped;
  }

  /** Before first use: a library that takes the context and does not authenticate it would let keys be swapped. */
  async #tryBinding(session: Pkcs11Session): Promise<void> {
    const wrapped = await this.#tryRoundTrip(session);
    const unbound = await this.#wrapping.unwrap(session, wrapped, otherTrial).then(
      (key) => {
        key.fill(0);
        return true;
      },
      () => false,
    );
    if (unbound) throw broken("the context is not bound");
  }
}

/** Loads the package and the library; the token is opened by the first call. Throws `kms_module`. */
export async function openPkcs11Kms(config: Pkcs11KmsConfig, ports: ProviderPorts): Promise<Kms> {
  return new Pkcs11Kms(config, await joinPkcs11Library(config.module), ports);
}

function failure(error: unknown, verdict: Pkcs11Verdict): SealwrightError {
  const name = pkcs11Name(error);
  // Nothing that a library says is the library's: a defect of ours must not pass for an outage.
  if (name === undefined && !(error instanceof Error && "nativeStack" in error)) return asSealwrightError(error);
  return new SealwrightError(codes[verdict], { reason: name ?? "no answer of the standard" }, error);
}

function broken(reason: string): SealwrightError {
  return new SealwrightError("kms_broken", { reason });
}
