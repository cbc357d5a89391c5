import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { Checks } from "../../src/app/demo/checks.ts";
import { Children } from "../../src/app/demo/children.ts";
import { sidecarFile } from "../../src/app/demo/demo-config.ts";
import { writeDemoFiles, type DemoFiles } from "../../src/app/demo/demo-files.ts";
import { startStore } from "../../src/app/demo/demo-stage.ts";
import { freePorts } from "../../src/app/demo/free-ports.ts";
import { surveyHops } from "../../src/app/demo/hop-survey.ts";
import { LegacyApp } from "../../src/app/demo/legacy-app.ts";
import type { TestIdentity } from "../../src/app/demo/pki.ts";
import { playScenario, scenarioTexts, type ScenarioResult } from "../../src/app/demo/scenario.ts";
import { StoreJournal } from "../../src/app/demo/store-journal.ts";
import { StoreReader } from "../../src/app/demo/store-reader.ts";
import { filesBelow, search, type Haystack } from "../rig/canary.ts";
import { makeKeyring } from "../rig/keyring-setup.ts";
import { forms, type Form } from "../rig/sidecar-files.ts";
import { Sidecar } from "../rig/sidecar.ts";
import { Moto } from "./stage/moto.ts";
import { RecordingRelay } from "./stage/recording-relay.ts";

const keysFile = (form: Form, keyId: string, port: number): string => `kms:
  main: { provider: aws, keyId: "${keyId}", region: eu-west-1, endpoint: "http://127.0.0.1:${port}" }
keys: { form: ${form}, kek: main${form === "keyring" ? ", keyring: keyring.json" : ""} }
`;

/** Credentials that moto takes from anybody. */
const motoEnv = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "moto-takes-any-secret",
  AWS_EC2_METADATA_DISABLED: "true",
};

/** A value that no map seals, to show that the searches find what is there. */
const clearByRight = "west-3";

for (const form of forms) {
  describe(`CouchDB API by nano, keys of AWS KMS (moto) in ${form} form`, () => {
    const cleanup = new AsyncDisposableStack();
    const checks = new Checks();
    let files: DemoFiles;
    let sidecar: Sidecar;
    let toKms: RecordingRelay;
    let toStore: RecordingRelay;
    let result: ScenarioResult;

    before(async () => {
      const folder = await mkdtemp(join(tmpdir(), "sealwright-couchdb-"));
      cleanup.defer(() => rm(folder, { recursive: true, force: true }));
      const moto = cleanup.use(await Moto.start());
      toKms = cleanup.use(await RecordingRelay.start({ to: Number(new URL(moto.endpoint).port) }));
      const [store = 0, lookout = 0, outbound = 0, inbound = 0, admin = 0, app = 0] = await freePorts(6);
      const ports = { store, lookout, outbound, inbound, admin, app };
      files = await writeDemoFiles(folder, ports);
      const journal = new StoreJournal();
      await startStore(cleanup.use(new Children()), files, ports, journal);

      const front = await identityAt(join(folder, "store/store"));
      // Towards the store the relay is the sidecar, so that the store tells of it by that name.
      const back = await identityAt(join(files.config, "sealwright"));
      toStore = cleanup.use(await RecordingRelay.start({ to: store, tls: { ca: files.ca, front, back } }));
      const keys = keysFile(form, await moto.createKey(), toKms.port);
      await writeFile(files.sidecar, sidecarFile({ ...ports, store: toStore.port }, keys));
      if (form === "keyring") await makeKeyring({ folder: files.config, env: motoEnv });
      sidecar = await Sidecar.start({ folder: files.config, port: outbound, adminPort: admin, env: motoEnv });
      cleanup.defer(() => sidecar.stop());

      const reader = new StoreReader(`https://localhost:${store}/clinic`, files.ca, files.outsider);
      cleanup.defer(() => reader.close());
      const legacy = new LegacyApp({ url: `http://127.0.0.1:${outbound}`, database: "clinic" });
      const site = await legacy.serve(app);
      cleanup.defer(async () => {
        await once(site.close(), "close");
      });
      result = await playScenario({ app: legacy, store: reader, journal, checks });
      await surveyHops({ ports, files, journal, checks }, result.example);
    });

    after(() => cleanup.disposeAsync());

    const sent = (): Haystack[] => [
      { where: "sent to the store", bytes: toStore.sent },
      { where: "sent to the key service", bytes: toKms.sent },
    ];
    const written = (): Haystack[] => [
      ...filesBelow(files.folder),
      { where: "the sidecar's output", bytes: sidecar.output },
    ];

    it("does all that the demo does", () => {
      expect(checks.all.filter(({ ok }) => !ok)).to.deep.equal([]);
      expect(result.operations).to.have.length.greaterThan(10);
    });

    it("writes, logs and sends none of the app's clear values", () => {
      expect(search([...sent(), ...written()], scenarioTexts)).to.deep.equal([]);
    });

    it("would have found them: what is clear by right is met on disk and on the way to the store", () => {
      expect(search(sent(), [clearByRight]).map(({ where }) => where)).to.include("sent to the store");
      expect(search(filesBelow(files.storeData), [clearByRight])).to.not.be.empty;
    });

    it("tells the key service scopes and nothing else, a handful of times", () => {
      const calls = toKms.sent.toString("latin1").match(/TrentService\.\w+/g) ?? [];
      const generated = calls.filter((name) => name.endsWith("GenerateDataKey")).length;
      expect(calls.length).to.be.within(2, 12);
      expect(generated).to.equal(form === "inline" ? 1 : 3);
      const contexts = [...toKms.sent.toString("latin1").matchAll(/"EncryptionContext":(\{[^}]*\})/g)];
      const names = contexts.flatMap(([, text = "{}"]) => Object.keys(JSON.parse(text) as object));
      expect(contexts).to.have.length(calls.length);
      expect(["sealwright", "tenant", "dataset", "purpose"]).to.include.members([...new Set(names)]);
    });
  });
}

/** Reads `PATH.crt` and `PATH.key`. */
async function identityAt(path: string): Promise<TestIdentity> {
  const [cert, key] = await Promise.all([readFile(`${path}.crt`, "utf8"), readFile(`${path}.key`, "utf8")]);
  return { cert, key };
}
