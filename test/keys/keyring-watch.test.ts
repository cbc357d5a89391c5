import { copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../src/base/log.ts";
import { editEntries } from "../../src/keys/keyring/edit-entries.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import { dataContext } from "../../src/kms/context.ts";
import { systemClock } from "../../src/base/clock.ts";
import { failureCode } from "../rig/failure-code.ts";
import { settled } from "../rig/fake-clock.ts";
import { denied } from "../rig/fake-kms.ts";
import { keyringConfig, KeysRig, moveKey, openWith, sealWith } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const hour = 3_600_000;
const t1 = { tenant: "t1", dataset: "patients" } as const;

describe("keyring watch", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let office: KeyringOffice;
  let events: string[];
  const services: KeyService[] = [];

  beforeEach(async () => {
    rig = new KeysRig();
    events = [];
    const line = (event: string, fields: { code?: string } = {}): void =>
      void events.push([event, fields.code].filter(Boolean).join(" "));
    rig.log = { ...silentLog, info: line, warn: line, error: line };
    office = rig.office(folder());
    await createKeyring(office);
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close();
  });

  async function started(path = office.store.location, clock = rig.ports.clock): Promise<KeyService> {
    const keys = await openKeys(keyringConfig(path), { ...rig.ports, clock });
    services.push(keys);
    await keys.start();
    await settled();
    return keys;
  }
  async function wrapAnew(id: string): Promise<void> {
    await editEntries(office, ({ entries }) =>
      entries
        .filter((entry) => entry.id === id)
        .map((entry) => {
          const [wrap] = entry.wraps;
          const again = rig.kms.rewrapNow(Buffer.from(wrap?.wrapped ?? "", "base64url"), dataContext({}));
          return { ...entry, wraps: [{ kek: "main", wrapped: again.toString("base64url") }] };
        }),
    );
  }

  async function addActive(): Promise<string> {
    const { id } = await addKey(office, { use: "randomized", scope: {}, spreadMs: 0 });
    await activateKey(office, id);
    return id;
  }

  it("sees a Kubernetes mount's link swap, long before it would look by itself", async () => {
    const mount = join(folder(), "mount");
    const version = (name: string): void => {
      mkdirSync(join(mount, name), { recursive: true });
      copyFileSync(office.store.location, join(mount, name, "keyring.json"));
      symlinkSync(name, join(mount, "..data.next"));
      renameSync(join(mount, "..data.next"), join(mount, "..data"));
    };
    version("..1");
    symlinkSync(join("..data", "keyring.json"), join(mount, "keyring.json"));
    const keys = await started(join(mount, "keyring.json"), systemClock);
    expect(await failureCode(() => sealWith(keys, t1))).to.equal("no_key");
    await addActive();
    version("..2");
    const deadline = Date.now() + 5000;
    while (Date.now() < deadline && keys.status.keyring?.entries !== 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await sealWith(keys, t1);
  });

  it("tells a failure once, counts each, and tells when it is over", async () => {
    await addActive();
    const keys = await started();
    const good = readFileSync(office.store.location);
    writeFileSync(office.store.location, "half a fi");
    for (let look = 0; look < 3; look += 1) await keys.refresh();
    const forged = good.toString().replace(/"mac": "./, (found) => (found.endsWith("A") ? '"mac": "B' : '"mac": "A'));
    writeFileSync(office.store.location, forged);
    for (let look = 0; look < 2; look += 1) await keys.refresh();
    expect(keys.notes()).to.have.length(1);
    writeFileSync(office.store.location, good);
    await keys.refresh();
    expect(keys.notes()).to.deep.equal([]);
    expect(events).to.deep.equal([
      "keyring_in_use",
      "keyring_not_loaded keyring_invalid",
      "keyring_not_loaded keyring_forged",
      "keyring_good_again",
    ]);
    const codes = rig.metrics.of("sealwright_keyring_reload_failures_total").map(({ labels }) => labels["code"]);
    expect(codes).to.deep.equal([...Array<string>(3).fill("keyring_invalid"), "keyring_forged", "keyring_forged"]);
  });

  it("tells how long ago the keyring was found good", async () => {
    const keys = await started();
    writeFileSync(office.store.location, "half a fi");
    await rig.clock.pass(25_000);
    await keys.refresh();
    keys.measure();
    expect(rig.metrics.of("sealwright_keyring_age_of_last_look").at(-1)?.value).to.equal(25);
  });

  it("lets a message that has begun see the keys of its beginning to its end", async () => {
    const id = await addActive();
    const keys = await started();
    const token = await sealWith(keys, t1);
    const begun = keys.snapshot();
    await moveKey(office, id, "retired");
    await keys.refresh();
    expect(await openWith(begun, t1, token)).to.equal('"x"');
    await sealWith(begun, t1);
    expect(await failureCode(() => openWith(keys, t1, token))).to.equal("open_failed");
    expect(await failureCode(() => sealWith(keys, t1))).to.equal("no_key");
    // Unwrapped for that message alone: nothing of a retired key stays.
    expect(keys.status.cachedKeys).to.equal(0);
    expect(keys.snapshot()).to.equal(keys.snapshot());
  });

  it("checks keys in memory by their new wraps once they are wrapped anew", async () => {
    const id = await addActive();
    const keys = await started();
    await sealWith(keys, t1);
    const wrapped = rig.kms.calls.find(({ context }) => !("purpose" in context))?.wrapped;
    await wrapAnew(id);
    await keys.refresh();
    // The old wrap is gone from the key service, as when the version that made it was destroyed.
    rig.kms.before = (call) => (wrapped !== undefined && call.wrapped?.equals(wrapped) === true ? denied() : undefined);
    await rig.clock.pass(0.95 * hour);
    await sealWith(keys, t1);
    await settled();
    await rig.clock.pass(0.2 * hour);
    await sealWith(keys, t1);
  });

  it("checks a key by its new wraps too that was being unwrapped when it was wrapped anew", async () => {
    const id = await addActive();
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    rig.kms.before = ({ context }) => ("purpose" in context ? undefined : gate);
    const keys = await started();
    const sealing = sealWith(keys, t1);
    await settled();
    const wrapped = rig.kms.calls.findLast(({ context }) => !("purpose" in context))?.wrapped;
    await wrapAnew(id);
    await keys.refresh();
    go();
    await sealing;
    rig.kms.before = (call) => (wrapped !== undefined && call.wrapped?.equals(wrapped) === true ? denied() : undefined);
    await rig.clock.pass(1.1 * hour);
    await sealWith(keys, t1);
  });
});
