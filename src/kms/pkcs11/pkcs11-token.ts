import type { Handle } from "pkcs11js";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { defaultPkcs11Sessions, type Pkcs11KmsConfig } from "../kms-config.ts";
import { pkcs11Name } from "./pkcs11-error.ts";
import type { Pkcs11Library } from "./pkcs11-library.ts";

/** A session, for one call at a time. */
export interface Pkcs11Session {
  readonly library: Pkcs11Library;
  readonly handle: Handle;
  /** The KEK. */
  readonly key: Handle;
}

/** Callers that may wait for a session. */
const longestQueue = 1000;

/** A token, logged in, with its KEK found and a pool of sessions. Over as soon as the library is initialised anew. */
export class Pkcs11Token {
  /** Which initialisation of the library it belongs to. */
  readonly generation: number;
  readonly #library: Pkcs11Library;
  readonly #slot: Handle;
  readonly #key: Handle;
  /** Carries the login, which ends with the token's last session. No operation runs on it. */
  readonly #loginSession: Handle;
  readonly #most: number;
  readonly #free: Handle[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = 0;
  #closed = false;

  /** Calls the library, synchronously and briefly. Throws `kms_denied`, `kms_unavailable`, and the library's own errors. */
  constructor(library: Pkcs11Library, { token, key, sessions = defaultPkcs11Sessions }: Pkcs11KmsConfig, pin: string) {
    this.#library = library;
    this.generation = library.generation;
    this.#most = sessions;
    this.#slot = slotOf(library, token);
    this.#loginSession = this.#opened();
    try {
      logIn(library, { slot: this.#slot, session: this.#loginSession, token }, pin);
      this.#key = keyNamed(library, this.#loginSession, key);
    } catch (error) {
      closeQuietly(library, this.#loginSession);
      throw error;
    }
  }

  /** Runs `work` on a session of its own. Throws `kms_unavailable` (too many wait), and what `work` throws. */
  async withSession<T>(work: (session: Pkcs11Session) => Promise<T>): Promise<T> {
    const handle = await this.#taken();
    try {
      const result = await work({ library: this.#library, handle, key: this.#key });
      if (this.#closed) this.#end(handle);
      else this.#free.push(handle);
      return result;
    } catch (error) {
      // A failed operation may still be under way on it.
      this.#end(handle);
      this.#open -= 1;
      throw error;
    } finally {
      this.#waiting.shift()?.();
    }
  }

  /** Ends the sessions, those under way when they are done, and the login with the last one. Nobody waits for one any more. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    for (const handle of [...this.#free.splice(0), this.#loginSession]) this.#end(handle);
  }

  async #taken(): Promise<Handle> {
    while (!this.#closed && this.#free.length === 0 && this.#open >= this.#most) {
      if (this.#waiting.length >= longestQueue) throw new SealwrightError("kms_unavailable", { reason: "busy" });
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
    if (this.#closed) throw new SealwrightError("kms_unavailable", { reason: "closed" });
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#open += 1;
    try {
      return this.#opened();
    } catch (error) {
      this.#open -= 1;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  /** Initialised anew, the library may have given the same handle to somebody else. */
  #end(handle: Handle): void {
    if (this.generation === this.#library.generation) closeQuietly(this.#library, handle);
  }

  #opened(): Handle {
    // Read-only: nothing is ever stored on the token.
    return this.#library.pkcs11.C_OpenSession(this.#slot, this.#library.binding.CKF_SERIAL_SESSION);
  }
}

function slotOf({ pkcs11 }: Pkcs11Library, token: string): Handle {
  const slots = pkcs11.C_GetSlotList(true).filter((slot) => pkcs11.C_GetTokenInfo(slot).label.trimEnd() === token);
  const [slot, ...others] = slots;
  // One that is not there may come back: an HSM that restarts shows empty slots.
  if (slot === undefined) throw new SealwrightError("kms_unavailable", { reason: "no token of this label" });
  if (others.length > 0) throw denied("several tokens have this label");
  return slot;
}

interface LoginPlace {
  readonly slot: Handle;
  readonly session: Handle;
  readonly token: string;
}

/** Never spends the last try, and tries no PIN twice that was refused: locking the token would be an outage for everybody. */
function logIn(library: Pkcs11Library, { slot, session, token }: LoginPlace, pin: string): void {
  const { binding, pkcs11, refusedPins } = library;
  if (refusedPins.get(token) === pin) throw denied("PIN refused before");
  const { flags } = pkcs11.C_GetTokenInfo(slot);
  if ((flags & binding.CKF_USER_PIN_LOCKED) !== 0) throw denied("PIN locked");
  if ((flags & binding.CKF_USER_PIN_FINAL_TRY) !== 0) throw denied("one try of the PIN is left, for a person");
  try {
    pkcs11.C_Login(session, binding.CKU_USER, pin);
    refusedPins.delete(token);
  } catch (error) {
    const name = pkcs11Name(error);
    if (name === "CKR_USER_ALREADY_LOGGED_IN") return;
    if (name?.startsWith("CKR_PIN_") === true) refusedPins.set(token, pin);
    throw error;
  }
}

function keyNamed(library: Pkcs11Library, session: Handle, label: string): Handle {
  const { binding } = library;
  const named = [
    { type: binding.CKA_CLASS, value: binding.CKO_SECRET_KEY },
    { type: binding.CKA_LABEL, value: label },
  ];
  const [key, ...others] = found(library, session, named);
  if (key === undefined) throw denied("no secret key of this label");
  if (others.length > 0) throw denied("several keys have this label");
  const demands = [
    { type: binding.CKA_KEY_TYPE, value: binding.CKK_AES, otherwise: "the key is no AES key" },
    { type: binding.CKA_VALUE_LEN, value: 32, otherwise: "the key has not 256 bits" },
    { type: binding.CKA_SENSITIVE, value: true, otherwise: "the key can be read (CKA_SENSITIVE is false)" },
    { type: binding.CKA_EXTRACTABLE, value: false, otherwise: "the key can leave the token (CKA_EXTRACTABLE is true)" },
  ];
  // Asked as searches: the token compares, and the width and order of its integers stay its own business.
  for (const { type, value, otherwise } of demands)
    if (found(library, session, [...named, { type, value }]).length !== 1) throw denied(otherwise);
  return key;
}

type Template = Parameters<Pkcs11Library["pkcs11"]["C_FindObjectsInit"]>[1];

function found({ pkcs11 }: Pkcs11Library, session: Handle, template: Template): readonly Handle[] {
  pkcs11.C_FindObjectsInit(session, template);
  try {
    return pkcs11.C_FindObjects(session, 2);
  } finally {
    pkcs11.C_FindObjectsFinal(session);
  }
}

function closeQuietly({ pkcs11 }: Pkcs11Library, session: Handle): void {
  try {
    pkcs11.C_CloseSession(session);
  } catch {
    // Gone already, with the device or the library.
  }
}

function denied(reason: string): SealwrightError {
  return new SealwrightError("kms_denied", { reason });
}
