import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createLocalKeyFile } from "../../src/kms/local/local.ts";
import type { KmsConfig } from "../../src/kms/kms-config.ts";
import { runInProcess } from "../app/cli/command-line.ts";
import { startGcpStage } from "../rig/gcp-stage.ts";
import type { KmsStage } from "../rig/kms-stage.ts";
import { startRecoveryStage } from "../rig/recovery-stage.ts";
import { startAwsStage } from "./stage/aws-kms.ts";
import { startPkcs11Stage } from "./stage/softhsm.ts";
import { startVaultStage } from "./stage/vault-kms.ts";

const map = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { header: x-tenant-id }
record: [{ path: id }, $.id]
fields: [{ name: ssn, path: $.ssn }, { name: email, path: $.email, mode: deterministic }]
routes:
  - { match: { methods: [GET, PUT], path: "/v1/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
`;

const document = '{ "id": "7", "ssn": "078-05-1120", "email": "ada@example.org", "weight": 61.250 }';

const stages: Readonly<Record<string, () => Promise<KmsStage>>> = {
  "aws (moto)": startAwsStage,
  "vault (OpenBao)": startVaultStage,
  "gcp (fake)": startGcpStage,
  "pkcs11 aes-gcm (SoftHSM)": () => startPkcs11Stage("aes-gcm"),
  "pkcs11 aes-key-wrap (SoftHSM)": () => startPkcs11Stage("aes-key-wrap"),
  "recovery with its secret": startRecoveryStage,
};

describe("two wraps of every data key", () => {
  let folder = "";
  let cleanup: AsyncDisposableStack;

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    folder = await mkdtemp(join(tmpdir(), "sealwright-wraps-"));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "patients.yaml"), map);
    await createLocalKeyFile(join(folder, "second.json"));
  });
  afterEach(() => cleanup.disposeAsync());

  /** A sidecar file with these KEKs: the first one generates, the others wrap too. JSON is YAML. */
  async function configOf(name: string, keks: Readonly<Record<string, object>>): Promise<string> {
    const [kek = "", ...wraps] = Object.keys(keks);
    const path = join(folder, `${name}.yaml`);
    await writeFile(
      path,
      `apiVersion: sealwright.dev/v1
kind: Sidecar
kms: ${JSON.stringify(keks)}
keys: ${JSON.stringify({ form: "keyring", kek, keyring: "keyring.json", ...(wraps.length === 0 ? {} : { wraps }) })}
fieldMaps: [patients.yaml]
listeners:
  - { name: store, direction: outbound, listen: 127.0.0.1:8081, upstream: { url: "http://127.0.0.1:8080" }, fieldMaps: [patients] }
`,
    );
    return path;
  }

  async function run(args: readonly string[], stdin = ""): Promise<string> {
    const ran = await runInProcess(args, stdin);
    expect(ran.code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`).to.equal(0);
    return ran.stdout;
  }

  /** How patient a sidecar is does not stand in its file. */
  function yamlOf(kek: KmsConfig): object {
    return Object.fromEntries(Object.entries(kek).filter(([setting]) => setting !== "patience"));
  }

  for (const [name, start] of Object.entries(stages)) {
    it(`of which ${name} is one: sealed with it, opened with the other alone, and the other way round`, async () => {
      const stage = cleanup.use(await start());
      const second = { provider: "local", keyFile: "second.json" };
      const both = await configOf("both", { first: yamlOf(stage.kek), second });
      await run(["keys", "init", "-c", both]);
      for (const use of ["randomized", "deterministic"])
        await run(["keys", "add", "--active", "--use", use, "-c", both]);
      const route = ["--route", "PUT /v1/patients/7", "--tenant", "acme"];
      const sealed = await run(["seal", "-c", both, ...route], document);
      expect(sealed.match(/swr1\./gu)).to.have.length(2);
      const onlyFirst = await configOf("first", { first: yamlOf(stage.kek) });
      const onlySecond = await configOf("second", { second });
      const back = ["--route", "GET /v1/patients/7", "--tenant", "acme"];
      for (const config of [both, onlyFirst, onlySecond])
        expect(await run(["open", "-c", config, ...back], sealed), config).to.equal(document);
    });
  }
});
