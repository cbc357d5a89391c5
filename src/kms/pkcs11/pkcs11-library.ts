import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import type { PKCS11 } from "pkcs11js";
import type { Clock } from "../../base/clock.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { loadPkcs11Binding, type Pkcs11Binding } from "./pkcs11-binding.ts";
import { pkcs11Name } from "./pkcs11-error.ts";

/** How long calls under way may take to end before the library is given up on, milliseconds. */
const longestDrainMs = 1000;

/**
 * A vendor's library. By the standard it is initialised once per process, whoever uses it, and finalising it ends everybody's
 * sessions: so its users share one of these, and it is finalised only while no call is under way.
 */
export class Pkcs11Library {
  readonly binding: Pkcs11Binding;
  readonly pkcs11: PKCS11;
  /** By token: the PIN that it refused last. Each further try would bring it nearer to locking. */
  readonly refusedPins = new Map<string, string>();
  #users = 0;
  #running = 0;
  #generation = 0;
  #renewal: Promise<void> | undefined;
  readonly #onIdle = new Set<() => void>();
  readonly #forget: () => void;

  /** `forget` is called when it has been finalised for good. */
  constructor(binding: Pkcs11Binding, pkcs11: PKCS11, forget: () => void) {
    this.binding = binding;
    this.pkcs11 = pkcs11;
    this.#forget = forget;
  }

  /** Counts initialisations; sessions of an earlier one are void. 0 = not initialised. */
  get generation(): number {
    return this.#generation;
  }

  /** Runs `work`, which may call the library; it begins when no renewal is under way. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    while (this.#renewal !== undefined) await this.#renewal.catch(() => undefined);
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const idle of this.#onIdle) idle();
    }
  }

  /**
   * Initialises the library anew, unless somebody has done so since generation `seen`. Throws `kms_unavailable` (calls that do
   * not end: nothing is ever finalised beneath them), and the library's own errors.
   */
  async renew(seen: number, clock: Pick<Clock, "after">): Promise<void> {
    if (this.#generation !== seen) return;
    this.#renewal ??= this.#initialised(clock).finally(() => {
      this.#renewal = undefined;
    });
    await this.#renewal;
  }

  join(): void {
    this.#users += 1;
  }

  /** The last user's leaving finalises the library, if its calls end. */
  async leave(clock: Pick<Clock, "after">): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0 || !(await this.#idle(clock)) || this.#users > 0) return;
    this.#forget();
    if (this.#generation > 0) this.#finalise();
  }

  async #initialised(clock: Pick<Clock, "after">): Promise<void> {
    if (!(await this.#idle(clock))) throw new SealwrightError("kms_unavailable", { reason: "a call does not end" });
    if (this.#generation > 0) this.#finalise();
    tolerating("CKR_CRYPTOKI_ALREADY_INITIALIZED", () =>
      this.pkcs11.C_Initialize({ flags: this.binding.CKF_OS_LOCKING_OK }),
    );
    this.#generation += 1;
  }

  #finalise(): void {
    tolerating("CKR_CRYPTOKI_NOT_INITIALIZED", () => this.pkcs11.C_Finalize());
  }

  #idle(clock: Pick<Clock, "after">): Promise<boolean> {
    if (this.#running === 0) return Promise.resolve(true);
    return new Promise((settle) => {
      const idle = (): void => {
        this.#onIdle.delete(idle);
        cancel();
        settle(true);
      };
      const cancel = clock.after(longestDrainMs, () => {
        this.#onIdle.delete(idle);
        settle(false);
      });
      this.#onIdle.add(idle);
    });
  }
}

/**
 * Libraries in use, by path. State of the module, against the house's rule, because what it mirrors is state of the process:
 * a second C_Initialize of one library is an error, and one C_Finalize ends the sessions of all.
 */
const inUse = new Map<string, Pkcs11Library>();

/** The library at `path`, loaded but not initialised. The caller leaves it when done. Throws `kms_module`. */
export async function joinPkcs11Library(path: string): Promise<Pkcs11Library> {
  const binding = await loadPkcs11Binding();
  const place = await placeOf(path);
  const library = inUse.get(place) ?? load(binding, place);
  inUse.set(place, library);
  library.join();
  return library;
}

async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(resolve(path));
  } catch (error) {
    throw new SealwrightError("kms_module", { reason: "no such library", file: path }, error);
  }
}

function load(binding: Pkcs11Binding, path: string): Pkcs11Library {
  const pkcs11 = new binding.PKCS11();
  try {
    pkcs11.load(path);
    return new Pkcs11Library(binding, pkcs11, () => inUse.delete(path));
  } catch (error) {
    throw new SealwrightError("kms_module", { reason: "no PKCS #11 library", file: path }, error);
  }
}

function tolerating(name: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    if (pkcs11Name(error) !== name) throw error;
  }
}
