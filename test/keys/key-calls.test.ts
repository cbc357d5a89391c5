import { expect } from "chai";
import type { KeyService } from "../../src/keys/key-service.ts";
import { addKey, createKeyring } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { settled } from "../rig/fake-clock.ts";
import { inlineConfig, keyringConfig, KeysRig, openWith, sealWith } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const tenants = Array.from({ length: 20 }, (_, index) => ({ tenant: `t${index}`, dataset: "d" }));

describe("calls to the key service", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let keys: KeyService;

  beforeEach(() => (rig = new KeysRig()));
  afterEach(() => keys.close());

  /** 10,000 messages over 20 keys, 500 at once: each seals a value and opens one. */
  async function load(tokens: readonly string[]): Promise<void> {
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 500 }, async (_, index) => {
          const scope = tenants[index % tenants.length]!;
          await sealWith(keys.snapshot(), scope);
          await openWith(keys.snapshot(), scope, tokens[index % tenants.length]!);
        }),
      );
    await settled();
  }

  async function startKeyring(): Promise<void> {
    const office = rig.office(folder());
    await createKeyring(office);
    for (const { tenant } of tenants) await addKey(office, { use: "randomized", scope: { tenant }, active: true });
    keys = await openKeys(keyringConfig(office.store.location), rig.ports);
    await keys.start();
    await settled();
  }

  const unwraps = (): number =>
    rig.kms.calls.filter(({ operation, context }) => operation === "unwrap" && !("purpose" in context)).length;

  it("of a keyring are one for each key and cache period, under any load", async function () {
    this.timeout(20_000);
    await startKeyring();
    const before = unwraps();
    const tokens = await Promise.all(tenants.map((scope) => sealWith(keys, scope)));
    expect(unwraps() - before, "unwrapped ahead").to.equal(0);
    for (let period = 1; period <= 2; period += 1) {
      await load(tokens);
      // Into the time in which keys are checked ahead.
      await rig.clock.pass(0.95 * hour);
      await load(tokens);
      expect(unwraps() - before).to.equal(20 * period);
    }
    keys.measure();
    const told = rig.metrics.of("sealwright_data_key_unwraps_total");
    expect(told.map(({ value }) => value)).to.deep.equal(Array(20).fill(3));
    const sealed = rig.metrics.of("sealwright_key_values_sealed_total");
    expect(sealed).to.have.length(20);
    expect(sealed.reduce((sum, { value }) => sum + value, 0)).to.equal(4 * 10_000 + 20);
    expect(rig.metrics.of("sealwright_key_values_opened_total").reduce((sum, { value }) => sum + value, 0)).to.equal(
      40_000,
    );
  });

  it("of inline keys are one for each key, use and cache period, under any load", async function () {
    this.timeout(20_000);
    keys = await openKeys(inlineConfig, rig.ports);
    await keys.start();
    const tokens = await Promise.all(tenants.map((scope) => sealWith(keys, scope)));
    const made = rig.kms.calls.length;
    expect(made).to.equal(40);
    await load(tokens);
    expect(rig.kms.calls.length).to.equal(made);
    await rig.clock.pass(0.95 * hour);
    await load(tokens);
    expect(rig.kms.calls.length).to.equal(made + 40);
  });
});
