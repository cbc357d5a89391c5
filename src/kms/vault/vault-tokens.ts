import { hasCode, asSealwrightError, SealwrightError } from "../../base/sealwright-error.ts";
import { SingleFlight } from "../../base/single-flight.ts";
import type { ProviderPorts } from "../kms-ports.ts";
import type { VaultHttp } from "./vault-http.ts";
import { leaseBeginning, VaultLease } from "./vault-lease.ts";
import { readVaultGrant, type VaultGrant, type VaultLogin } from "./vault-login.ts";
import { statusRefusal } from "./vault-error.ts";

/** A renewal that failed is tried again after a third of what is left, within these bounds. */
const soonestMs = 1000;
const latestMs = 60_000;
/** How long no login is tried for a refusal, after one that brought another token which was refused too. */
const uselessMs = 5000;

/**
 * The token that calls are made with: logged in for at the first use, renewed ahead of its end, taken anew where it cannot be
 * renewed, and never used beyond its life. However many wait, one login is under way.
 */
export class VaultTokens {
  readonly #http: Pick<VaultHttp, "ask">;
  readonly #login: VaultLogin;
  readonly #ports: ProviderPorts;
  readonly #flights = new SingleFlight<VaultLease>();
  #lease: VaultLease | undefined;
  /** Life of the token when it was new. */
  #firstLifeMs = 0;
  #uselessUntil = Number.NEGATIVE_INFINITY;
  /** No call has a renewal tried before this: one failed just now. */
  #quietUntil = Number.NEGATIVE_INFINITY;
  #cancelTimer: () => void = () => undefined;
  #closed = false;

  constructor(http: Pick<VaultHttp, "ask">, login: VaultLogin, ports: ProviderPorts) {
    this.#http = http;
    this.#login = login;
    this.#ports = ports;
  }

  /** Throws as a login does. */
  async current(): Promise<string> {
    const lease = this.#lease;
    const { clock } = this.#ports;
    if (lease === undefined || lease.isOver(clock) || (await this.#login.isReplaced(lease.token)))
      return (await this.#loggedIn()).token;
    // A timer does that too, unless the machine slept.
    if (lease.isDue(clock) && clock.monotonicMs() >= this.#quietUntil) this.#renewBehind();
    return lease.token;
  }

  /** A token other than `refused`, which the service did not take; `undefined` where there is none, or lately was none better. */
  async after(refused: string): Promise<string | undefined> {
    const lease = this.#lease;
    if (lease !== undefined && lease.token !== refused) return lease.token;
    if (this.#ports.clock.monotonicMs() < this.#uselessUntil) return undefined;
    const { token } = await this.#loggedIn();
    if (token !== refused) return token;
    this.refusedToo();
    return undefined;
  }

  /** A token from `after` was refused as well: the caller is, not the token. */
  refusedToo(): void {
    this.#uselessUntil = this.#ports.clock.monotonicMs() + uselessMs;
  }

  /** Takes back a token that was made for this process, as far as the service can be reached. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    const token = this.#lease?.token;
    this.#lease = undefined;
    if (token === undefined || !this.#login.owned) return;
    await this.#http.ask({ method: "POST", path: "auth/token/revoke-self", token }).catch(() => undefined);
  }

  #loggedIn(): Promise<VaultLease> {
    return this.#flights.run("login", async () => {
      const began = leaseBeginning(this.#ports.clock);
      const granted = await this.#login.login();
      this.#firstLifeMs = granted.lifeMs;
      return this.#taken(new VaultLease(granted, began, this.#ports.random));
    });
  }

  #taken(lease: VaultLease): VaultLease {
    if (this.#closed) throw new SealwrightError("kms_unavailable", { reason: "closed" });
    this.#lease = lease;
    if (Number.isFinite(lease.lifeMs)) this.#renewAfter(Math.max(soonestMs, lease.dueMs));
    return lease;
  }

  #renewAfter(ms: number): void {
    this.#cancelTimer();
    if (!this.#closed) this.#cancelTimer = this.#ports.clock.after(ms, () => this.#renewBehind());
  }

  /** Nobody waits for it: until the old token's end calls go on with that one. */
  #renewBehind(): void {
    this.#flights
      .run("renewal", () => this.#renewed())
      .catch((error: unknown) => {
        const { code, facts } = asSealwrightError(error);
        this.#ports.log.warn("kms_token_renewal_failed", {
          kek: this.#ports.kek,
          provider: "vault",
          code,
          ...(facts.reason === undefined ? {} : { reason: facts.reason }),
        });
        this.#renewLater();
      });
  }

  #renewLater(): void {
    const { clock } = this.#ports;
    const leftMs = this.#lease === undefined ? 0 : this.#lease.lifeMs - this.#lease.ageMs(clock);
    // Beyond its end the next call logs in, and may say what came of it.
    if (leftMs <= 0) return;
    const pauseMs = Math.min(latestMs, Math.max(soonestMs, leftMs / 3));
    this.#quietUntil = clock.monotonicMs() + pauseMs;
    this.#renewAfter(pauseMs);
  }

  async #renewed(): Promise<VaultLease> {
    const lease = this.#lease;
    if (lease?.renewable !== true) return this.#loggedIn();
    const began = leaseBeginning(this.#ports.clock);
    let granted: VaultGrant;
    try {
      granted = await this.#extended(lease.token);
    } catch (error) {
      if (hasCode(error, "kms_unavailable")) throw error;
      return await this.#loggedIn();
    }
    // Meanwhile somebody may have logged in.
    if (this.#lease !== lease) return this.#lease ?? this.#loggedIn();
    // Less than it once was: the token nears an end that no renewal moves. Next time another one is asked for.
    const renewable = granted.renewable && granted.lifeMs >= this.#firstLifeMs / 2;
    return this.#taken(new VaultLease({ ...granted, renewable }, began, this.#ports.random));
  }

  async #extended(token: string): Promise<VaultGrant> {
    const { status, body } = await this.#http.ask({
      method: "POST",
      path: "auth/token/renew-self",
      token,
      message: {},
    });
    if (status !== 200) throw statusRefusal(status, true);
    return { ...readVaultGrant(body), token };
  }
}
