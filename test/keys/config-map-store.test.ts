import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createTestPki, type TestIdentity } from "../../src/app/demo/pki.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  listKeys,
  type KeyringOffice,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { CachedKeysGauge } from "../../src/keys/cached-keys-gauge.ts";
import { KeyUsage } from "../../src/keys/usage/key-usage.ts";
import { KeyringKeys } from "../../src/keys/keyring-keys.ts";
import { KeyringWatch } from "../../src/keys/keyring-watch.ts";
import { Unwrapper } from "../../src/keys/unwrapper.ts";
import { KeyringSource } from "../../src/keys/keyring-source.ts";
import { backUpKeyring, restoreKeyring } from "../../src/keys/life-cycle/restore-keyring.ts";
import { rewrapKeyring } from "../../src/keys/life-cycle/rewrap.ts";
import { configMapName } from "../../src/keys/keyring/stores/config-map-name.ts";
import { ConfigMapStore } from "../../src/keys/keyring/stores/config-map-store.ts";
import { podAccess } from "../../src/keys/keyring/stores/kube-access.ts";
import { failureCode } from "../rig/failure-code.ts";
import { keyringConfig, KeysRig } from "../rig/keyring-rig.ts";
import { KubeApiFake, type KubeFault } from "../rig/kube-api-fake.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const patients = { use: "randomized", scope: { dataset: "patients" } } as const;
const path = "/api/v1/namespaces/clinic/configmaps/keyring";

/** Against a fake of the API: see there what that proves. */
describe("keyring in a ConfigMap", () => {
  const folder = useScratchFolder();
  let identity: TestIdentity;
  let ca: string;
  let api: KubeApiFake;
  let rig: KeysRig;
  let office: KeyringOffice;

  before(async () => {
    const pki = await createTestPki();
    ca = pki.ca;
    identity = await pki.issue({ name: "kubernetes", ip: ["127.0.0.1"], usage: "server" });
  });

  beforeEach(async () => {
    api = await KubeApiFake.start(identity);
    rig = new KeysRig();
    writeFileSync(join(folder(), "token"), "first\n");
    writeFileSync(join(folder(), "ca.crt"), ca);
    const access = () => ({
      origin: api.origin,
      caFile: join(folder(), "ca.crt"),
      tokenFile: join(folder(), "token"),
    });
    office = rig.office(folder(), { store: new ConfigMapStore({ namespace: "clinic", name: "keyring" }, access) });
  });
  afterEach(() => api.stop());

  /** Fails the next request of this method, once. */
  const failNext = (method: string, fault: KubeFault): void => {
    api.fault = (call) => {
      if (call.method !== method) return undefined;
      api.fault = () => undefined;
      return fault;
    };
  };

  for (const shards of [1, 3])
    it(`lives in ${shards} of its keys: made, added to, activated, rewrapped, read by a sidecar`, async () => {
      const { rootId } = await createKeyring(office, shards);
      const { id } = await addKey(office, { ...patients, spreadMs: 0 });
      await activateKey(office, id);
      await rewrapKeyring(office, {}, rig.labour);
      expect(Object.keys(api.maps.get(path)?.data ?? {})).to.have.length(shards);
      const source = new KeyringSource({ ...office, rootId });
      expect((await source.read())?.entries).to.deep.equal((await listKeys(office)).entries);
      expect(await source.read()).to.equal(undefined);
      source.end();
    });

  it("leaves labels and annotations alone", async () => {
    await createKeyring(office);
    api.edit(path, (map) => (map.metadata["labels"] = { team: "records" }));
    await addKey(office, patients);
    expect(api.maps.get(path)?.metadata["labels"]).to.deep.equal({ team: "records" });
  });

  it("is never made over another", async () => {
    await createKeyring(office);
    const before = JSON.stringify(api.maps.get(path));
    expect(await failureCode(() => createKeyring(office))).to.equal("file_exists");
    expect(JSON.stringify(api.maps.get(path))).to.equal(before);
  });

  it("is never made anew in silence where it is gone", async () => {
    await createKeyring(office);
    api.maps.clear();
    expect(await failureCode(() => addKey(office, patients))).to.equal("file_unreadable");
    expect(api.maps.size).to.equal(0);
  });

  it("comes back from a backup where it is gone, and gets missing keys where it is there", async () => {
    const { rootId } = await createKeyring(office, 3);
    const pinned = { ...office, rootId };
    const none = await backUpKeyring(pinned);
    for (let count = 0; count < 6; count += 1) await addKey(office, patients);
    const [backup, before] = [await backUpKeyring(pinned), await listKeys(pinned)];
    for (const start of [backup, none]) {
      api.maps.delete(path);
      expect((await restoreKeyring(pinned, { backup: start, above: 9 })).created).to.equal(true);
      await restoreKeyring(pinned, { backup, allowOlder: true });
      const { entries, generation } = await listKeys(pinned);
      expect(entries.map(({ id }) => id)).to.deep.equal(before.entries.map(({ id }) => id));
      expect(generation).to.be.greaterThan(9);
    }
  });

  it("loses no entry to writers at once: each is there, or was told that the keyring is busy", async () => {
    await createKeyring(office, 2);
    const added: string[] = [];
    const adder = async (): Promise<void> => {
      for (;;) {
        const outcome = await addKey(office, patients).catch((error: unknown) => {
          expect(error).to.have.property("code", "keyring_busy");
        });
        if (outcome === undefined) continue;
        added.push(outcome.id);
        return;
      }
    };
    await Promise.all(Array.from({ length: 8 }, adder));
    expect((await listKeys(office)).entries.map(({ id }) => id)).to.deep.equal(added.toSorted());
    expect((await listKeys(office)).shards.reduce((sum, { generation }) => sum + generation - 1, 0)).to.equal(8);
  });

  it("is not written over what came meanwhile", async () => {
    await createKeyring(office);
    rig.kms.before = ({ operation }) => {
      if (operation === "generate") api.edit(path, (map) => (map.metadata["labels"] = {}));
    };
    const before = api.maps.get(path)?.data;
    expect(await failureCode(() => addKey(office, patients))).to.equal("keyring_busy");
    expect(api.maps.get(path)?.data).to.deep.equal(before);
  });

  it("knows a change whose answer got lost for done, and one that never came for not done", async () => {
    await createKeyring(office);
    failNext("PATCH", { done: "reset" });
    const { id } = await addKey(office, patients);
    expect((await listKeys(office)).entries.map((entry) => entry.id)).to.deep.equal([id]);
    failNext("PATCH", { instead: "reset" });
    expect(await failureCode(() => addKey(office, patients))).to.equal("store_unavailable");
    expect((await listKeys(office)).entries).to.have.length(1);
  });

  it("tells ahead that it has no room", async () => {
    await createKeyring(office);
    const big = "x".repeat(1024 * 1024);
    api.edit(path, (map) => (map.data = { "keyring.json": `${map.data?.["keyring.json"] ?? ""}${big}` }));
    expect(await failureCode(() => listKeys(office))).to.equal("keyring_invalid");
    const calls = api.calls.length;
    const file = { shard: { index: 0, count: 1 }, filler: big } as never;
    expect(await failureCode(() => office.store.create([file]))).to.equal("store_full");
    expect(api.calls).to.have.length(calls);
  });

  it("takes a new token and a new authority from their files, and says when it may not", async () => {
    await createKeyring(office);
    api.tokens = new Set(["second"]);
    expect(await failureCode(() => listKeys(office))).to.equal("file_unreadable");
    writeFileSync(join(folder(), "token"), "second");
    await listKeys(office);
    writeFileSync(join(folder(), "ca.crt"), (await createTestPki()).ca);
    expect(await failureCode(() => listKeys(office))).to.equal("store_unavailable");
    rmSync(join(folder(), "token"));
    expect(await failureCode(() => listKeys(office))).to.equal("file_unreadable");
  });

  it("is followed by a sidecar that asks every ten seconds, and goes on with what it has while the API is away", async () => {
    await createKeyring(office);
    const { ports } = rig;
    const config = { ...keyringConfig(office.store.location), kek: "main" };
    const usage = new KeyUsage(ports.clock);
    const gauge = new CachedKeysGauge(ports.metrics);
    const tools = { ports, usage, unwrapper: new Unwrapper(ports, ["main"]), gauge };
    const keys = new KeyringKeys(config, tools);
    const watch = new KeyringWatch(keys, office, ports);
    try {
      await watch.start();
      await addKey(office, { ...patients, active: true });
      const passed = async (): Promise<void> => {
        const calls = api.calls.length;
        await rig.clock.pass(10_000);
        while (api.calls.length === calls) await new Promise((resolve) => setTimeout(resolve, 5));
        await watch.lookNow();
      };
      await passed();
      expect(watch.failure).to.equal(undefined);
      expect(rig.metrics.of("sealwright_keyring_generation").at(-1)?.value).to.equal(2);
      api.fault = () => ({ instead: "answer", status: 503, text: "" });
      await passed();
      expect(watch.failure).to.equal("store_unavailable");
      api.fault = () => undefined;
      await passed();
      expect(watch.failure).to.equal(undefined);
    } finally {
      watch.stop();
    }
  });

  const hostile: Readonly<Record<string, readonly [KubeFault, string]>> = {
    "no JSON": [{ instead: "answer", status: 200, text: "<html>" }, "keyring_invalid"],
    "an empty answer": [{ instead: "answer", status: 200, text: "" }, "keyring_invalid"],
    "another kind": [{ instead: "answer", status: 200, text: '{"kind":"Secret"}' }, "keyring_invalid"],
    "a redirect": [{ instead: "answer", status: 307, text: "" }, "file_unreadable"],
    "a refusal": [{ instead: "answer", status: 403, text: "{}" }, "file_unreadable"],
    "too many requests": [{ instead: "answer", status: 429, text: "" }, "store_unavailable"],
    "an outage": [{ instead: "answer", status: 503, text: "x" }, "store_unavailable"],
    "a cut connection": [{ instead: "reset" }, "store_unavailable"],
    "more than a ConfigMap holds": [
      { instead: "answer", status: 200, text: " ".repeat(9 * 1024 * 1024) },
      "store_unavailable",
    ],
  };
  for (const [title, [fault, code]] of Object.entries(hostile))
    it(`refuses ${title}`, async () => {
      await createKeyring(office);
      failNext("GET", fault);
      expect(await failureCode(() => listKeys(office))).to.equal(code);
      failNext("GET", fault);
      expect(await failureCode(() => addKey(office, patients))).to.equal(code);
      expect((await listKeys(office)).generation).to.equal(1);
    });

  it("refuses another ConfigMap, and data that is no keyring's", async () => {
    await createKeyring(office);
    const good = structuredClone(api.maps.get(path));
    if (good === undefined) return expect.fail("no ConfigMap");
    for (const bad of [
      { ...good, metadata: { ...good.metadata, name: "other" } },
      { ...good, metadata: { ...good.metadata, namespace: "other" } },
      { ...good, metadata: { ...good.metadata, resourceVersion: "" } },
      { ...good, data: { ...good.data, "notes.txt": "x" } },
      { ...good, binaryData: { "keyring.json": "AA==" } },
      { ...good, data: {} },
      { ...good, data: { "shard-0.json": good.data?.["keyring.json"] ?? "", "shard-00.json": "" } },
    ]) {
      api.maps.set(path, bad);
      expect(await failureCode(() => listKeys(office))).to.equal("keyring_invalid");
    }
    const misnamed = { ...good, data: { "shard-7.json": good.data?.["keyring.json"] ?? "" } };
    api.maps.set(path, misnamed);
    await listKeys(office);
    expect(await failureCode(() => addKey(office, patients))).to.equal("keyring_invalid");
  });

  it("is reached by what a pod is given, and only there", () => {
    const env = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "6443" };
    expect(podAccess(env).origin).to.equal("https://10.96.0.1:6443");
    expect(podAccess({ KUBERNETES_SERVICE_HOST: "fd00::1" }).origin).to.equal("https://[fd00::1]:443");
    for (const bad of [{}, { KUBERNETES_SERVICE_HOST: "a/b" }, { ...env, KUBERNETES_SERVICE_PORT: "x" }])
      expect(() => podAccess(bad))
        .to.throw()
        .with.property("code", "config_invalid");
  });

  it("is named by a namespace and a name that Kubernetes allows", () => {
    expect(configMapName("configmap:clinic/key-ring.v1")).to.deep.equal({ namespace: "clinic", name: "key-ring.v1" });
    const long = `${"a".repeat(63)}.`.repeat(5);
    for (const bad of ["", "a/b/c", "A/b", "a/-b", "a/b-", "a/..", "a/b..c", "a/b?x", `a/${long}a`])
      expect(configMapName(`configmap:${bad}`), bad).to.equal(undefined);
  });
});
