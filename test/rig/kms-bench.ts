import { expect } from "chai";

import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { dataContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { KmsConfig, KmsPatience } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { failureCode } from "./failure-code.ts";
import type { FaultFront } from "./fault-front.ts";
import type { KmsCase, KmsStage, KmsTraits } from "./kms-stage.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

/** One row of the matrix as a test. */
export interface KmsConformanceCase {
  readonly name: KmsCase;
  readonly title: string;
  /** It waits for deadlines. */
  readonly slow?: true;
  readonly run: (bench: KmsBench) => Promise<void>;
}

/** The scope that cases seal for where it does not matter. */
export const context = dataContext({ tenant: "t1", dataset: "patients" });

/** Cases do not wait for one another. */
const noBackOff: Partial<KmsPatience> = { backOffMs: 1, longestBackOffMs: 1 };
/** What never answers costs little. */
export const brisk: Partial<KmsPatience> = { attemptMs: 400, attempts: 3, callMs: 1200 };
/** What a call may take at most beyond its limit, on a machine that does other things too. */
const marginMs = 800;

/** One provider on its stage, opened as a sidecar opens it: behind all decorators. */
export class KmsBench {
  readonly stage: KmsStage;
  readonly traits: KmsTraits;
  readonly #opened = new Map<string, Kms>();

  constructor(stage: KmsStage, traits: KmsTraits) {
    this.stage = stage;
    this.traits = traits;
  }

  get front(): FaultFront {
    if (this.stage.front === undefined) throw new Error("no front, and no reason why the case does not apply");
    return this.stage.front;
  }

  async openAnew(config: KmsConfig = this.stage.kek, patience: Partial<KmsPatience> = {}): Promise<Kms> {
    const ports = { clock: systemClock, log: silentLog, metrics: new RecordedMetrics(), random: Math.random };
    const all = { ...config.patience, ...noBackOff, ...patience };
    const kms = await openKms("main", { ...config, patience: all }, ports);
    this.#opened.set(String(this.#opened.size), kms);
    return kms;
  }

  /** One client for all cases that need no other: some take half a second to open. */
  async open(config: KmsConfig = this.stage.kek, patience: Partial<KmsPatience> = {}): Promise<Kms> {
    const key = JSON.stringify([config, patience]);
    const kms = this.#opened.get(key) ?? (await this.openAnew(config, patience));
    this.#opened.set(key, kms);
    return kms;
  }

  /** "Not mine", and in no other words but those that the stand-in is known for. */
  async expectRefused(call: () => Promise<unknown>, what: string): Promise<void> {
    expect(await failureCode(call), what).to.be.oneOf(["kms_not_mine", ...(this.traits.alsoRefusedBy ?? [])]);
  }

  /** `kms`, opened with `brisk` patience, is out of reach, which it says in the time of one call. `wrapped`: a good wrap. */
  async expectDark(kms: Kms, wrapped: Buffer, what: string): Promise<void> {
    const calls = [() => kms.generate(context), () => kms.unwrap(wrapped, context)];
    const started = performance.now();
    const codes = await Promise.all(calls.map(failureCode));
    expect(codes, what).to.deep.equal(["kms_unavailable", "kms_unavailable"]);
    expect(performance.now() - started, `${what}, ms`).to.be.below(1200 + marginMs);
  }

  async close(): Promise<void> {
    for (const kms of this.#opened.values()) await kms.close();
    await this.stage[Symbol.asyncDispose]();
  }
}

/** Calls until the circuit breaker lets it through again. */
export async function calm<T>(call: () => Promise<T>): Promise<T> {
  for (const limit = Date.now() + 10_000; ;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await new Promise((settle) => setTimeout(settle, 20));
    }
  }
}
