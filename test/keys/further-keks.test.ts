import { expect } from "chai";
import type { KeyService } from "../../src/keys/key-service.ts";
import { addKey, createKeyring } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { failureCode } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { denied, FakeKms, unavailable } from "../rig/fake-kms.ts";
import { keyringConfig, KeysRig, openWith, sealWith } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;

describe("a keyring wrapped under two KEKs", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let second: FakeKms;
  let path: string;
  let keys: KeyService | undefined;

  beforeEach(async () => {
    rig = new KeysRig();
    second = new FakeKms();
    const office = { ...rig.office(folder()), kms: both(), keks: ["main", "second"] };
    path = office.store.location;
    await createKeyring(office);
    await addKey(office, { use: "randomized", scope: {}, active: true });
    rig.kms.calls.length = second.calls.length = 0;
  });
  afterEach(() => keys?.close());

  const both = (): ReadonlyMap<string, FakeKms> =>
    new Map([
      ["main", rig.kms],
      ["second", second],
    ]);
  async function start(kek: string, kms: ReadonlyMap<string, FakeKms> = both()): Promise<KeyService> {
    const wraps = kek === "main" ? ["second"] : ["main"];
    keys = await openKeys({ ...keyringConfig(path), kek, wraps }, { ...rig.ports, kms });
    await keys.start();
    await settled();
    return keys;
  }

  it("asks the preferred one only, for the root too", async () => {
    await sealWith(await start("second"), t1);
    expect(second.count("unwrap")).to.equal(2);
    expect(rig.kms.calls).to.have.length(0);
  });

  it("starts and serves while the preferred one is dark", async () => {
    rig.kms.before = unavailable;
    const service = await start("main");
    expect(service.readiness().ready).to.equal(true);
    expect(await openWith(service, t1, await sealWith(service, t1))).to.equal('"x"');
  });

  it("serves a sidecar that has only the other one", async () => {
    const token = await sealWith(await start("main"), t1);
    await keys?.close();
    const service = await start("second", new Map([["second", second]]));
    expect(await openWith(service, t1, token)).to.equal('"x"');
  });

  it("E-07: loses a key when the KEK that gave it denies it and the other is dark", async () => {
    const service = await start("main");
    const token = await sealWith(service, t1);
    await rig.clock.pass(0.95 * hour);
    rig.kms.before = denied;
    second.before = unavailable;
    await sealWith(service, t1);
    await settled();
    expect(service.status.cachedKeys).to.equal(0);
    // Asked for anew, nobody has given it: whoever is dark might.
    expect(await failureCode(() => openWith(service, t1, token))).to.equal("kms_unavailable");
  });

  it("keeps a key on the outage budget when the KEK that gave it is dark, whatever the other denies", async () => {
    const service = await start("main");
    rig.kms.before = unavailable;
    second.before = denied;
    await rig.clock.pass(1.5 * hour);
    await sealWith(service, t1);
    expect(service.status.outage).to.equal(true);
  });
});
