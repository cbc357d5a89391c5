import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Log } from "../../src/base/log.ts";
import { silentLog } from "../../src/base/log.ts";
import { keyIdOf } from "../../src/crypto/key-derivation.ts";
import { Unwrapper } from "../../src/keys/unwrapper.ts";
import type { WrappedKey } from "../../src/keys/wrapped-key.ts";
import { dataContext } from "../../src/kms/context.ts";
import { failureCode } from "../rig/failure-code.ts";
import { denied, FakeKms, unavailable } from "../rig/fake-kms.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";

const context = dataContext({ tenant: "t1", dataset: "d" });

describe("unwrapper", () => {
  let kms: Record<"a" | "b" | "c", FakeKms>;
  let metrics: RecordedMetrics;
  let lines: string[];
  let key: WrappedKey;

  beforeEach(() => {
    kms = { a: new FakeKms(), b: new FakeKms(), c: new FakeKms() };
    metrics = new RecordedMetrics();
    lines = [];
    const plaintext = randomBytes(32);
    // In the keyring's order, which is not the one of the configuration.
    const wraps = (["c", "b", "a"] as const).map((kek) => ({ kek, wrapped: kms[kek].keep(plaintext, context) }));
    key = { id: keyIdOf(plaintext), wraps, context };
  });

  function unwrapper(preferred: readonly string[]): Unwrapper {
    const line = (event: string, fields: { kek?: string } = {}): void =>
      void lines.push(`${event} ${fields.kek ?? ""}`);
    const log: Log = { ...silentLog, warn: line, info: line };
    return new Unwrapper({ kms: new Map(Object.entries(kms)), log, metrics }, preferred);
  }

  async function servedBy(keys: Unwrapper, before?: string): Promise<string> {
    const { dataKey, kek } = await keys.unwrap(key, before);
    dataKey.release();
    return kek;
  }

  it("asks in the order of the configuration, then in the keyring's", async () => {
    expect(await servedBy(unwrapper(["b", "a"]))).to.equal("b");
    expect(await servedBy(unwrapper([]))).to.equal("c");
    kms.b.before = kms.a.before = unavailable;
    expect(await servedBy(unwrapper(["b", "a"]))).to.equal("c");
  });

  it("never asks a KEK that only wraps", async () => {
    kms.a.canUnwrap = false;
    const keys = unwrapper(["a", "b"]);
    expect(await servedBy(keys)).to.equal("b");
    expect(kms.a.calls).to.have.length(0);
    kms.b.canUnwrap = kms.c.canUnwrap = false;
    expect(keys.canUnwrap(key)).to.equal(false);
    expect(await failureCode(() => keys.unwrap(key))).to.equal("kms_not_mine");
  });

  it("tells which KEK served, and once that it is not the preferred one", async () => {
    const keys = unwrapper(["a", "b"]);
    kms.a.before = unavailable;
    for (let index = 0; index < 3; index += 1) await servedBy(keys);
    kms.a.before = () => undefined;
    await servedBy(keys);
    expect(lines).to.deep.equal(["data_keys_served_by_another_kek b", "preferred_kek_serves_again a"]);
    const served = metrics.of("sealwright_data_keys_unwrapped_total").map(({ labels }) => labels["kek"]);
    expect(served).to.deep.equal(["b", "b", "b", "a"]);
  });

  it("takes any KEK's consent", async () => {
    kms.a.before = denied;
    expect(await servedBy(unwrapper(["a"]), "a")).to.equal("c");
  });

  it("lets an outage speak for a new key, whatever the others refuse", async () => {
    kms.a.before = kms.c.before = denied;
    kms.b.before = unavailable;
    expect(await failureCode(() => unwrapper(["a"]).unwrap(key))).to.equal("kms_unavailable");
  });

  it("E-07: lets the KEK speak that gave the key before, whoever is out of reach", async () => {
    const keys = unwrapper(["a", "b", "c"]);
    kms.a.before = denied;
    kms.b.before = kms.c.before = unavailable;
    expect(await failureCode(() => keys.unwrap(key, "a"))).to.equal("kms_denied");
    expect(await failureCode(() => keys.unwrap(key, "b"))).to.equal("kms_unavailable");
  });
});
