import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

/** As the page on backups says: of the shards, their members sorted, without white space. */
function digestOf(backup: string): string {
  const { shards } = JSON.parse(backup) as { shards: unknown };
  return createHash("sha256").update(sorted(shards)).digest("hex");
}

function sorted(value: unknown): string {
  const byName = (_: string, each: unknown): unknown =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each;
  return JSON.stringify(value, byName);
}

type Members = Readonly<Record<string, unknown>>;

describe("keys backup and keys restore", () => {
  const folder = useScratchFolder();
  const at = (name: string): string => join(folder(), name);
  let config: string;
  let rootId: string;

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess(["keys", ...command.split(" "), "-c", config, ...args], stdin);
  const json = async (command: string, args: readonly string[] = [], stdin = ""): Promise<Members> =>
    JSON.parse((await run(command, [...args, "--json"], stdin)).stdout) as Members;
  const codeOf = async (command: string, args: readonly string[] = [], stdin = ""): Promise<unknown> =>
    ((await json(command, args, stdin))["error"] as Members | undefined)?.["code"];

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    await runInProcess(["kek", "create", at("kek.json")]);
    rootId = String((await json("init"))["rootId"]);
    await run("add", ["--dataset", "patients", "--active"]);
  });

  it("write one file, with no key in clear, and put it back from stdin too", async () => {
    const made = await json("backup", ["--out", at("backup.json")]);
    expect(made).to.include({ ok: true, rootId, generation: 2, keys: 1 });
    const text = readFileSync(at("backup.json"), "utf8");
    expect(JSON.parse(text)).to.include({ sha256: made["sha256"], kind: "KeyringBackup" });
    rmSync(at("keyring.json"));
    const restored = await json("restore", ["-", "--above", "41"], text);
    expect(restored).to.include({ ok: true, created: true, rootId, generation: 42 });
    expect(restored["changed"]).to.have.length(1);
    expect(await json("restore", ["-"], text)).to.deep.include({ created: false, generation: 42, changed: [] });
    expect((await run("restore", [at("backup.json")])).stdout).to.equal("");
  });

  it("print no wrapped key, which is for the file only", async () => {
    const made = await run("backup", ["--out", at("backup.json"), "--json"]);
    const [, wrapped = "none"] = /"wrapped": "([^"]+)"/.exec(readFileSync(at("backup.json"), "utf8")) ?? [];
    rmSync(at("keyring.json"));
    const restored = await run("restore", [at("backup.json"), "--json"]);
    for (const { stdout, stderr } of [made, restored]) expect(stdout + stderr).not.to.include(wrapped);
  });

  it("write nothing over a file, and nothing of a keyring that is not genuine", async () => {
    writeFileSync(at("backup.json"), "mine");
    expect(await codeOf("backup", ["--out", at("backup.json")])).to.equal("file_exists");
    expect(readFileSync(at("backup.json"), "utf8")).to.equal("mine");
    const text = readFileSync(at("keyring.json"), "utf8");
    writeFileSync(at("keyring.json"), text.replace('"active"', '"retired"'));
    expect(await codeOf("backup", ["--out", at("other.json")])).to.equal("keyring_forged");
    expect(existsSync(at("other.json"))).to.equal(false);
  });

  it("take for a backup only what is one, and genuine", async () => {
    await run("backup", ["--out", at("backup.json")]);
    const text = readFileSync(at("backup.json"), "utf8");
    const keyring = readFileSync(at("keyring.json"), "utf8");
    rmSync(at("keyring.json"));
    for (const bad of ["", "{}", "null", keyring, text.slice(0, -9), text.replace('"active"', '"retired"')])
      expect(await codeOf("restore", ["-"], bad)).to.equal("backup_invalid");
    const [, digest = ""] = /"sha256": "([0-9a-f]{64})"/.exec(text) ?? [];
    // The digest is no secret, so it can be made to fit; the code of the shard cannot.
    expect(digestOf(text)).to.equal(digest);
    const forged = text.replace('"active"', '"retired"');
    const fitting = forged.replace(digest, digestOf(forged));
    expect(await codeOf("restore", ["-"], fitting)).to.equal("keyring_forged");
    expect(existsSync(at("keyring.json"))).to.equal(false);
  });

  it("tell usage from problems, and init refuses where a root is pinned", async () => {
    await run("backup", ["--out", at("backup.json")]);
    const pinned = readFileSync(config, "utf8").replace(
      "keyring: keyring.json",
      `keyring: keyring.json, rootId: ${rootId}`,
    );
    writeFileSync(config, pinned);
    expect(await codeOf("init")).to.equal("config_invalid");
    for (const wrong of [["--above", "0"], ["--above", "x"], ["--receipt"], ["--frob"]])
      expect((await run("restore", [at("backup.json"), ...wrong])).code, wrong.join(" ")).to.equal(2);
    expect((await run("restore")).code).to.equal(2);
    expect((await run("backup")).code).to.equal(2);
    expect(await codeOf("restore", [at("backup.json"), "--receipt", at("backup.json")])).to.equal("receipt_invalid");
  });
});
