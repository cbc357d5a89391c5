import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

/** The procedure of docs/kms/recovery.md, step by step. */
describe("recovery after the loss of the KEK", () => {
  const folder = useScratchFolder();
  let config: string;
  let recipient: string;

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const done = async (command: string, args: readonly string[] = [], stdin = ""): Promise<string> => {
    const ran = await run(command, args, stdin);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran.stdout;
  };
  const failure = async (command: string, args: readonly string[], stdin = ""): Promise<string> => {
    const ran = await run(command, [...args, "--json"], stdin);
    expect(ran.code, ran.stdout).to.equal(1);
    return (JSON.parse(ran.stdout) as { error: { code: string } }).error.code;
  };
  const place = (record: string): readonly string[] => [
    ...["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", record],
  ];
  const configure = (kms: string, kek: string, wraps: string): void => {
    const text = readFileSync(config, "utf8");
    const keys = `keys: { form: keyring, kek: ${kek}, keyring: keyring.json${wraps === "" ? "" : `, wraps: [${wraps}]`} }`;
    writeFileSync(config, text.replace(/^kms: .*$/m, `kms: { ${kms} }`).replace(/^keys: .*$/m, keys));
  };
  const dev = "dev: { provider: local, keyFile: kek.json }";
  const next = "next: { provider: local, keyFile: next.json }";
  const safe = (more = ""): string => `safe: { provider: recovery, recipient: "${recipient}"${more} }`;
  const secret = ", secretFile: recovery-secret.txt";

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    for (const file of ["kek.json", "next.json"]) await runInProcess(["kek", "create", join(folder(), file)]);
    const made = await runInProcess(["kek", "recovery", "--out", join(folder(), "recovery-secret.txt")]);
    recipient = made.stdout.trim();
  });

  it("opens every value by the secret, and moves all keys to a new KEK while data stays as it is", async () => {
    // Before: the pod has the recipient only.
    configure(`${dev}, ${safe()}`, "dev", "safe");
    await done("keys init");
    await done("keys add", ["--dataset", "patients", "--active"]);
    const values = new Map<string, string>();
    for (const record of ["1", "2", "3"])
      values.set(record, await done("seal", place(record), `"07${record}-05-1120"`));

    // The KEK is gone for ever; the pod cannot help itself.
    rmSync(join(folder(), "kek.json"));
    configure(safe(), "safe", "");
    expect((await run("check")).code, "no first KEK without its secret").to.equal(1);
    configure(`${next}, ${safe()}`, "next", "safe");
    expect(await failure("open", place("1"), values.get("1"))).to.equal("kms_not_mine");

    // Break glass: the secret from the safe opens everything.
    configure(`${next}, ${safe(secret)}`, "next", "safe");
    await done("check");
    for (const [record, value] of values) expect(await done("open", place(record), value)).to.include("-05-1120");

    // All keys get wraps of the new KEK; those of the lost one go. Then the secret returns to the safe.
    await done("keys rewrap", ["--to", "next", "--drop", "dev"]);
    rmSync(join(folder(), "recovery-secret.txt"));
    configure(`${next}, ${safe()}`, "next", "safe");
    for (const [record, value] of values)
      expect(await done("open", place(record), value)).to.equal(`"07${record}-05-1120"\n`);
    await done("keys add", ["--dataset", "patients"]);
  });

  it("adds a recovery key to keys that exist, and takes another in its place", async () => {
    configure(dev, "dev", "");
    await done("keys init");
    await done("keys add", ["--dataset", "patients", "--active"]);
    const value = await done("seal", place("7"), '"078-05-1120"');
    configure(`${dev}, ${safe()}`, "dev", "safe");
    await done("keys rewrap", ["--to", "safe"]);
    configure(`${dev}, ${safe()}, ${safe().replace("safe:", "vault:")}`, "dev", "vault");
    await done("keys rewrap", ["--to", "vault", "--drop", "safe"]);
    const keyring = readFileSync(join(folder(), "keyring.json"), "utf8");
    expect([...keyring.matchAll(/"kek": ?"([a-z]+)"/g)].map(([, kek]) => kek)).to.have.members([
      "dev",
      "vault",
      "dev",
      "vault",
    ]);
    expect(await done("open", place("7"), value)).to.equal('"078-05-1120"\n');
  });

  it("never writes the secret to stdout or stderr, and refuses it in the sidecar file", async () => {
    const ran = await runInProcess(["kek", "recovery", "--out", join(folder(), "other.txt"), "--json"]);
    const text = readFileSync(join(folder(), "other.txt"), "utf8").trimEnd().split("\n").at(-1) ?? "nothing";
    expect(`${ran.stdout}${ran.stderr}`.toLowerCase()).not.to.include(text.toLowerCase());
    recipient = text;
    configure(`${dev}, ${safe()}`, "dev", "safe");
    const checked = await run("check", ["--json"]);
    expect(checked.code).to.equal(1);
    expect(checked.stdout).to.include("secret-in-file").and.not.to.include(text);
  });
});
