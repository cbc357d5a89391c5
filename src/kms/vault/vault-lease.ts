import type { Clock } from "../../base/clock.ts";
import type { VaultGrant } from "./vault-login.ts";

/** Renewed at this part of its life, or up to a tenth earlier, so that many sidecars fall out of step. */
const renewalPart = 2 / 3;
const jitterPart = 0.1;
/** However long a token lives, it is renewed once a day: what it may do can have changed. */
const longestQuietMs = 24 * 3600 * 1000;

type Now = Pick<Clock, "monotonicMs" | "wallMs">;

/**
 * One token over its life. Its age is the greater of what two clocks say: the monotonic one stands still while the machine
 * sleeps, and the wall clock may be set back.
 */
export class VaultLease {
  readonly token: string;
  readonly lifeMs: number;
  readonly renewable: boolean;
  /** Milliseconds after its beginning at which it is to be renewed. */
  readonly dueMs: number;
  readonly #beganMonotonic: number;
  readonly #beganWall: number;

  constructor(grant: VaultGrant, began: LeaseBeginning, random: () => number) {
    this.token = grant.token;
    this.lifeMs = grant.lifeMs;
    this.renewable = grant.renewable;
    this.dueMs = Math.min(longestQuietMs, grant.lifeMs * renewalPart * (1 - jitterPart * random()));
    this.#beganMonotonic = began.monotonicMs;
    this.#beganWall = began.wallMs;
  }

  isOver(now: Now): boolean {
    return this.ageMs(now) >= this.lifeMs;
  }

  isDue(now: Now): boolean {
    return this.ageMs(now) >= this.dueMs;
  }

  ageMs(now: Now): number {
    return Math.max(now.monotonicMs() - this.#beganMonotonic, now.wallMs() - this.#beganWall);
  }
}

/** When a token was asked for: the service counts from a moment later. */
export interface LeaseBeginning {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function leaseBeginning(now: Now): LeaseBeginning {
  return { monotonicMs: now.monotonicMs(), wallMs: now.wallMs() };
}
