import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createTestPki } from "../../../src/app/demo/pki.ts";
import type { Finding } from "../../../src/base/finding.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder } from "./command-line.ts";

describe("doctor", () => {
  const folder = useScratchFolder();
  let config = "";

  beforeEach(() => {
    config = writeSidecarFolder(folder());
  });

  async function run(...args: readonly string[]): Promise<void> {
    const ran = await runInProcess(args);
    expect(ran.code, ran.stderr).to.equal(0);
  }

  async function findings(): Promise<{ code: number; byCheck: ReadonlyMap<string, Finding> }> {
    const ran = await runInProcess(["doctor", "-c", config, "--json"]);
    const report = JSON.parse(ran.stdout) as { ok: boolean; findings: Finding[] };
    expect(report.ok).to.equal(ran.code === 0);
    return { code: ran.code, byCheck: new Map(report.findings.map((finding) => [finding.check, finding])) };
  }

  it("says that a key service cannot be opened, and why", async () => {
    const { code, byCheck } = await findings();
    expect(code).to.equal(1);
    expect(byCheck.get("kms: opened")?.status).to.equal("not ok");
    expect(byCheck.get("kms: opened")?.detail).to.include("key_file");
  });

  it("finds a keyring without keys, then one that covers every use", async () => {
    await run("kek", "create", join(folder(), "kek.json"));
    await run("keys", "init", "-c", config);
    const before = await findings();
    expect(before.byCheck.get("keyring: verified")?.status).to.equal("ok");
    expect(before.byCheck.get("keyring: randomized key for patients")?.status).to.equal("not ok");
    expect(before.byCheck.get("keyring: deterministic key for patients")?.status).to.equal("not ok");
    await run("keys", "add", "--active", "-c", config);
    await run("keys", "add", "--active", "--use", "deterministic", "--tenant", "acme", "-c", config);
    const after = await findings();
    expect(after.byCheck.get("keyring: randomized key for patients")?.status).to.equal("ok");
    expect(after.byCheck.get("keyring: deterministic key for patients")?.status).to.equal("unknown");
    expect(after.byCheck.get("kms dev: provider")?.status).to.equal("not ok");
    expect(after.byCheck.get("keys: rootId")?.status).to.equal("not ok");
  });

  it("tells keys that lack a wrap which the configuration wants, by the key services that it asks", async () => {
    await run("kek", "create", join(folder(), "kek.json"));
    await run("kek", "create", join(folder(), "second.json"));
    await run("keys", "init", "-c", config);
    await run("keys", "add", "--active", "-c", config);
    const text = readFileSync(config, "utf8")
      .replace(
        "kms: { dev: { provider: local, keyFile: kek.json } }",
        "kms: { dev: { provider: local, keyFile: kek.json }, second: { provider: local, keyFile: second.json } }",
      )
      .replace("kek: dev,", "kek: dev, wraps: [second],");
    writeFileSync(config, text);
    const { byCheck } = await findings();
    expect(byCheck.get("keyring: wraps")?.status).to.equal("not ok");
    expect(byCheck.get("kms dev: unwraps the root")?.status).to.equal("ok");
    expect(byCheck.get("kms second: unwraps the root")?.status).to.equal("not ok");
    expect(byCheck.get("keys: wraps")?.status).to.equal("ok");
  });

  it("tells a keyring that somebody changed", async () => {
    await run("kek", "create", join(folder(), "kek.json"));
    await run("keys", "init", "-c", config);
    const path = join(folder(), "keyring.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"generation": 1', '"generation": 2'));
    const { byCheck } = await findings();
    expect(byCheck.get("keyring: verified")?.detail).to.include("keyring_forged");
  });

  it("makes and drops one key where keys are inline", async () => {
    await run("kek", "create", join(folder(), "kek.json"));
    writeFileSync(
      join(folder(), "patients.yaml"),
      readFileSync(join(folder(), "patients.yaml"), "utf8").replace(/^.*mode: deterministic.*\n/mu, ""),
    );
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace("form: keyring, kek: dev, keyring: keyring.json", "form: inline, kek: dev"),
    );
    const { byCheck } = await findings();
    expect(byCheck.get("kms dev: generates a data key and opens it")?.status).to.equal("ok");
  });

  it("looks at the certificates of every listener", async () => {
    const pki = await createTestPki();
    const write = (name: string, text: string): void => writeFileSync(join(folder(), name), text, { mode: 0o600 });
    const soon = await pki.issue({ name: "store", usage: "client", notAfter: new Date(Date.now() + 60_000) });
    for (const [name, text] of Object.entries({ "a.crt": soon.cert, "a.key": soon.key, "ca.crt": pki.ca }))
      write(name, text);
    const text = readFileSync(config, "utf8")
      .replace(
        "fieldMaps: [patients.yaml]",
        "identities: { own: { cert: a.crt, key: a.key } }\ntrust: { mesh: { ca: ca.crt } }\nfieldMaps: [patients.yaml]",
      )
      .replace(/upstream: .*/u, 'upstream: { url: "https://store:8443", identity: own, trust: mesh }');
    writeFileSync(config, text);
    const { byCheck } = await findings();
    expect(byCheck.get("listener store: TLS files")?.status).to.equal("ok");
    expect(byCheck.get("listener store: client")?.status).to.equal("not ok");
    expect(byCheck.get("listener store: upstream-ca")?.status).to.equal("ok");
    write("a.key", (await pki.issue({ name: "other", usage: "client" })).key);
    expect((await findings()).byCheck.get("listener store: TLS files")?.status).to.equal("not ok");
  });

  it("prints what to do below what is not ok", async () => {
    const ran = await runInProcess(["doctor", "-c", config]);
    expect(ran.code).to.equal(1);
    expect(ran.stdout).to.match(/^not ok {2}kms dev: provider/mu);
    expect(ran.stdout).to.match(/^ {8}Use a key service in production\.$/mu);
  });
});
