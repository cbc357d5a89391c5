import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createTestPki, type TestPki } from "../../../src/app/demo/pki.ts";
import { useGcpMetadata } from "../../rig/gcp-environment.ts";
import { GcpFake } from "../../rig/gcp-fake.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

describe("commands with keys of Cloud KMS (a fake)", () => {
  const folder = useScratchFolder();
  let pki: TestPki;
  let service: GcpFake;
  let config: string;

  before(async () => {
    pki = await createTestPki();
  });
  beforeEach(async () => {
    service = await GcpFake.start(await pki.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server" }));
    config = writeSidecarFolder(folder());
    writeFileSync(join(folder(), "kms-ca.pem"), pki.ca);
    const kms = `main: { provider: gcp, keyName: "${service.key.name}", endpoint: "${service.endpoint}", ca: kms-ca.pem }`;
    const text = readFileSync(config, "utf8").replace(/^kms: .*$/m, `kms: { ${kms} }`);
    writeFileSync(config, text.replace("kek: dev", "kek: main"));
  });
  useGcpMetadata(() => service.metadata.host, folder);
  afterEach(() => service.stop());

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const place = ["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", "7"];

  it("make a keyring, seal and open", async () => {
    expect((await run("keys init")).code).to.equal(0);
    expect((await run("keys add", ["--dataset", "patients", "--active"])).code).to.equal(0);
    const sealed = await run("seal", place, '"x"');
    expect(sealed.stdout).to.match(/^swr1\./);
    expect((await run("open", place, sealed.stdout)).stdout).to.equal('"x"\n');
    // No key of a data set may be unwrapped under another context than its own.
    const contexts = new Set(service.calls.map(({ message }) => String(message["additionalAuthenticatedData"])));
    expect(contexts.size).to.equal(2);
  });

  it("say what is wrong when the key is disabled", async () => {
    await run("keys init");
    await run("keys add", ["--dataset", "patients", "--active"]);
    service.key.state = "disabled";
    const ran = await run("seal", [...place, "--json"], '"x"');
    expect([ran.code, (JSON.parse(ran.stdout) as { error: { code: string } }).error.code]).to.deep.equal([
      1,
      "kms_denied",
    ]);
  });
});
