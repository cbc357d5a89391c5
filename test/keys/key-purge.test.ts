import { expect } from "chai";
import type { KeyService } from "../../src/keys/key-service.ts";
import { addKey, createKeyring } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { failureCode } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { denied, unavailable } from "../rig/fake-kms.ts";
import {
  inlineConfig,
  keyringConfig,
  KeysRig,
  openWith,
  parsedToken,
  sealingOf,
  sealWith,
} from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;

describe("purge", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let keys: KeyService;

  beforeEach(() => (rig = new KeysRig()));
  afterEach(() => keys.close());

  async function start(config: KeysConfig): Promise<KeyService> {
    keys = await openKeys(config, rig.ports);
    await keys.start();
    await settled();
    return keys;
  }
  async function startKeyring(): Promise<void> {
    const office = rig.office(folder());
    await createKeyring(office);
    await addKey(office, { use: "randomized", scope: {}, active: true });
    await start(keyringConfig(office.store.location));
  }

  for (const form of ["inline", "keyring"] as const) {
    it(`E-07: of ${form} keys leaves none in memory, and has the key service asked for the next`, async () => {
      await (form === "inline" ? start(inlineConfig) : startKeyring());
      const token = await sealWith(keys, t1);
      const count = keys.status.cachedKeys;
      expect(await keys.purge()).to.equal(count);
      rig.kms.before = denied;
      await settled();
      await keys.purge();
      expect(keys.status.cachedKeys).to.equal(0);
      expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
      expect(await failureCode(() => sealWith(keys, t1))).to.equal("kms_denied");
      rig.kms.before = () => undefined;
      expect(await openWith(keys, t1, token)).to.equal('"x"');
      expect(rig.metrics.of("sealwright_key_purges_total")).to.have.length(2);
    });

    it(`lets a message under way finish with the ${form} key that it holds, which ends then`, async () => {
      await (form === "inline" ? start(inlineConfig) : startKeyring());
      const held = await keys.sealer(t1, "randomized");
      rig.kms.before = unavailable;
      await keys.purge();
      held.seal(sealingOf(t1));
      held.release();
      expect(await failureCode(() => held.seal(sealingOf(t1)))).to.equal("key_ended");
    });
  }

  it("keeps no key whose unwrapping began before it", async () => {
    await start(inlineConfig);
    const token = await sealWith(await openKeys(inlineConfig, rig.ports), t1);
    const going: (() => void)[] = [];
    rig.kms.before = () => new Promise((resolve) => void going.push(resolve));
    const early = openWith(keys, t1, token);
    await settled();
    await keys.purge();
    const late = openWith(keys, t1, token);
    await settled();
    // Whoever comes after the purge does not ride on what was asked before it.
    expect(going).to.have.length(2);
    for (const go of going.splice(0, 1)) go();
    expect(await early).to.equal('"x"');
    expect(keys.status.cachedKeys).to.equal(0);
    for (const go of going) go();
    expect(await late).to.equal('"x"');
    expect(keys.status.cachedKeys).to.equal(1);
  });

  it("keeps no key whose making began before it, for opening neither", async () => {
    await start(inlineConfig);
    const going: (() => void)[] = [];
    rig.kms.before = () => new Promise((resolve) => void going.push(resolve));
    const sealing = sealWith(keys, t1);
    await settled();
    await keys.purge();
    while (going.length > 0) {
      for (const go of going.splice(0)) go();
      await settled();
    }
    const token = await sealing;
    expect(keys.status.cachedKeys).to.equal(0);
    rig.kms.before = denied;
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
  });

  it("forgets refusals too", async () => {
    await start(inlineConfig);
    const other = new KeysRig();
    const foreign = await sealWith(await openKeys(inlineConfig, other.ports), t1);
    const refused = (): Promise<string> => failureCode(() => openWith(keys, t1, foreign));
    await refused();
    await refused();
    expect(rig.kms.calls).to.have.length(1);
    await keys.purge();
    await refused();
    expect(rig.kms.calls).to.have.length(2);
    expect(parsedToken(foreign).key.form).to.equal("inline");
  });

  it("is not needed for keys that nobody could use any more: those end by themselves", async () => {
    await start(inlineConfig);
    await sealWith(keys, t1);
    expect(keys.status.cachedKeys).to.equal(2);
    await rig.clock.pass(2 * hour - 60_000);
    expect(keys.status.cachedKeys).to.equal(2);
    await rig.clock.pass(2 * 60_000);
    expect(keys.status.cachedKeys).to.equal(0);
  });
});
