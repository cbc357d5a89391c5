import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { openKeys } from "../../src/keys/open-keys.ts";
import type { KeyService } from "../../src/keys/key-service.ts";
import { activateKey, addKey, createKeyring } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeyringOffice } from "../../src/keys/keyring/keyring-office.ts";
import type { KeysConfig } from "../../src/keys/keys-config.ts";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { AwsKmsConfig } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { setVariable, useTestCredentials } from "../rig/aws-credentials.ts";
import { failureCode } from "../rig/failure-code.ts";
import { inlineConfig, keyringConfig, openWith, sealWith } from "../rig/keyring-rig.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { documentedActions } from "./stage/aws-policies.ts";
import { Moto, type MotoUser } from "./stage/moto.ts";

const t1 = { tenant: "t1", dataset: "patients" } as const;
const t2 = { tenant: "t2", dataset: "patients" } as const;
const context = dataContext(t1);

/*
 * What moto cannot prove is not claimed here: it encrypts under disabled keys and answers AccessDenied for a wrong KeyId, and a
 * policy's resource counts for nothing.
 * Those answers are in test/kms/aws.test.ts, as AWS documents them.
 */
describe("AWS KMS, by moto", () => {
  useTestCredentials();
  let cleanup: AsyncDisposableStack;
  let folder = "";
  let moto: Moto;
  let keyId = "";
  let metrics: RecordedMetrics;

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    moto = cleanup.use(await Moto.start());
    keyId = await moto.createKey();
    metrics = new RecordedMetrics();
  });
  afterEach(() => cleanup.disposeAsync());

  async function kmsOf(more: Partial<AwsKmsConfig> = {}): Promise<Kms> {
    const config = { provider: "aws", keyId, region: "eu-west-1", endpoint: moto.endpoint, ...more } as const;
    const ports = { clock: systemClock, log: silentLog, metrics, random: Math.random };
    const kms = await openKms("main", config, ports);
    cleanup.defer(() => kms.close());
    return kms;
  }

  async function keysOf(config: KeysConfig, kms: Kms): Promise<KeyService> {
    const ports = { clock: systemClock, log: silentLog, metrics, kms: new Map([["main", kms]]) };
    const keys = await openKeys(config, ports);
    cleanup.defer(() => keys.close());
    await keys.start();
    return keys;
  }

  const officeOf = (path: string, kms: Kms): KeyringOffice => ({
    store: openKeyringStore(path),
    kms: new Map([["main", kms]]),
    keks: ["main"],
    clock: systemClock,
  });

  it("generates, wraps and unwraps under a scope", async () => {
    const kms = await kmsOf();
    const { plaintext, wrapped } = await kms.generate(context);
    expect(plaintext).to.have.length(32);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    expect((await kms.unwrap(await kms.wrap(plaintext, context), context)).equals(plaintext)).to.equal(true);
  });

  it("is served by the key whose bare id is configured", async () => {
    const kms = await kmsOf({ keyId: keyId.split("/")[1]! });
    const { plaintext, wrapped } = await kms.generate(context);
    expect((await (await kmsOf()).unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
  });

  it("unwraps under no other context, and nothing that was tampered with", async () => {
    const kms = await kmsOf();
    const { wrapped } = await kms.generate(context);
    for (const other of [dataContext(t2), dataContext({ tenant: "t1" }), dataContext({}), rootContext])
      expect(await failureCode(() => kms.unwrap(wrapped, other))).to.equal("kms_not_mine");
    const changed = Buffer.from(wrapped);
    changed.writeUInt8(changed.readUInt8(wrapped.length - 1) ^ 1, wrapped.length - 1);
    expect(await failureCode(() => kms.unwrap(changed, context))).to.equal("kms_not_mine");
  });

  it("is denied for a key that does not exist", async () => {
    const absent = await kmsOf({ keyId: keyId.replace(/[0-9a-f]{12}$/, "0".repeat(12)) });
    expect(await failureCode(() => absent.generate(context))).to.equal("kms_denied");
  });

  it("is out of reach once the service is gone", async () => {
    const kms = await kmsOf();
    await kms.generate(context);
    await moto[Symbol.asyncDispose]();
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_unavailable");
    const outcomes = metrics.of("sealwright_kms_calls_total").map(({ labels }) => labels["outcome"]);
    expect(outcomes).to.deep.equal(["ok", ...Array<string>(3).fill("kms_unavailable")]);
  });

  it("serves both forms of keys end to end", async () => {
    const kms = await kmsOf();
    const inline = await keysOf(inlineConfig, kms);
    const token = await sealWith(inline, t1, '"a"');
    const another = await keysOf(inlineConfig, kms);
    expect(await openWith(another, t1, token)).to.equal('"a"');
    expect(await failureCode(() => openWith(another, t2, token))).to.equal("open_failed");

    const path = join(folder, "keyring.json");
    const office = officeOf(path, kms);
    const { rootId } = await createKeyring(office);
    const { id } = await addKey(office, { use: "randomized", scope: { tenant: "t1" }, spreadMs: 0 });
    await activateKey(office, id);
    const keyring = await keysOf({ ...keyringConfig(path), rootId, accept: ["keyring", "inline"] }, kms);
    expect(await openWith(keyring, t1, await sealWith(keyring, t1, '"b"'))).to.equal('"b"');
    expect(await openWith(keyring, t1, token)).to.equal('"a"');
    expect(await failureCode(() => sealWith(keyring, t2))).to.equal("no_key");
  });

  it("speaks TLS to a private endpoint under its own authority", async () => {
    const pki = await createTestPki();
    const identity = await pki.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server" });
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem"), ca: join(folder, "ca.pem") };
    await writeFile(files.cert, identity.cert);
    await writeFile(files.key, identity.key, { mode: 0o600 });
    await writeFile(files.ca, pki.ca);
    const secure = cleanup.use(await Moto.start(files));
    // The key exists on the other server only: a denial shows that the question has arrived.
    const kms = await kmsOf({ endpoint: secure.endpoint, ca: files.ca });
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    const untrusting = await kmsOf({ endpoint: secure.endpoint });
    expect(await failureCode(() => untrusting.generate(context))).to.equal("kms_unavailable");
  });

  describe("with IAM enforced", () => {
    let users: Readonly<Record<"all" | "inline" | "reader" | "nobody" | "administrator", MotoUser>>;

    beforeEach(async () => {
      users = {
        all: await moto.createUser("all", ["kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt"]),
        inline: await moto.createUser("inline", documentedActions("sidecar-inline")),
        reader: await moto.createUser("reader", documentedActions("sidecar-keyring")),
        administrator: await moto.createUser("administrator", documentedActions("key-administrator")),
        nobody: await moto.createUser("nobody", []),
      };
      await moto.enforceAccess();
    });

    async function kmsAs(user: MotoUser): Promise<Kms> {
      setVariable("AWS_ACCESS_KEY_ID", user.accessKeyId);
      setVariable("AWS_SECRET_ACCESS_KEY", user.secretAccessKey);
      return kmsOf();
    }

    it("lets each do what its policy allows, and denies the rest", async () => {
      const kms = await kmsAs(users.all);
      const { plaintext, wrapped } = await kms.generate(context);
      expect((await kms.unwrap(await kms.wrap(plaintext, context), context)).equals(plaintext)).to.equal(true);
      const reader = await kmsAs(users.reader);
      expect((await reader.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      expect(await failureCode(() => reader.generate(context))).to.equal("kms_denied");
      expect(await failureCode(() => reader.wrap(plaintext, context))).to.equal("kms_denied");
      const nobody = await kmsAs(users.nobody);
      expect(await failureCode(() => nobody.unwrap(wrapped, context))).to.equal("kms_denied");
    });

    it("lets a sidecar of the inline form do what its documented policy says, and nothing that an administrator does", async () => {
      const kms = await kmsAs(users.inline);
      const { plaintext, wrapped } = await kms.generate(context);
      expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      expect(await failureCode(() => kms.wrap(plaintext, context))).to.equal("kms_denied");
      expect(await failureCode(() => kms.rewrap(wrapped, context))).to.equal("kms_denied");
    });

    it("serves a keyring by the documented policies: made by the administrator, opened by who may only decrypt", async () => {
      const path = join(folder, "keyring.json");
      const administrator = await kmsAs(users.administrator);
      const office = officeOf(path, administrator);
      const { rootId } = await createKeyring(office);
      const { id } = await addKey(office, { use: "randomized", scope: { tenant: "t1" }, spreadMs: 0 });
      await activateKey(office, id);
      const { plaintext, wrapped } = await administrator.generate(context);
      const anew = await administrator.rewrap(wrapped, context);
      expect((await administrator.unwrap(anew, context)).equals(plaintext)).to.equal(true);
      const sidecar = await keysOf({ ...keyringConfig(path), rootId }, await kmsAs(users.reader));
      expect(await openWith(sidecar, t1, await sealWith(sidecar, t1, '"b"'))).to.equal('"b"');
    });

    it("denies a wrong secret and an unknown caller", async () => {
      const wrong = await kmsAs({ ...users.all, secretAccessKey: "wrong" });
      expect(await failureCode(() => wrong.generate(context))).to.equal("kms_denied");
      const unknown = await kmsAs({ accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" });
      expect(await failureCode(() => unknown.generate(context))).to.equal("kms_denied");
    });

    it("seals for who may generate; who may only decrypt opens", async () => {
      const token = await sealWith(await keysOf(inlineConfig, await kmsAs(users.inline)), t1, '"a"');
      const reader = await keysOf(inlineConfig, await kmsAs(users.reader));
      expect(await openWith(reader, t1, token)).to.equal('"a"');
      expect(await failureCode(() => sealWith(reader, t1))).to.equal("kms_denied");
      const nobody = await keysOf(inlineConfig, await kmsAs(users.nobody));
      expect(await failureCode(() => openWith(nobody, t1, token))).to.equal("open_failed");
    });
  });
});
