import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

interface KeyShown {
  readonly id: string;
  readonly state: string;
}

describe("keys rotate", () => {
  const folder = useScratchFolder();
  let config: string;

  const run = (command: string, args: readonly string[] = []): Promise<Ran> =>
    runInProcess(["keys", ...command.split(" "), "-c", config, ...args]);
  const json = async (command: string, args: readonly string[] = []): Promise<Record<string, unknown>> =>
    JSON.parse((await run(command, [...args, "--json"])).stdout) as Record<string, unknown>;
  const states = async (): Promise<readonly string[]> =>
    ((await json("list"))["keys"] as readonly KeyShown[]).map(({ state }) => state).sort();

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    await run("init");
    await run("add", ["--dataset", "patients", "--active"]);
    await run("add", ["--dataset", "patients", "--active", "--use", "deterministic"]);
  });

  it("adds a pending key, says what to do next and when, and adds no second one", async () => {
    const first = await run("rotate", ["--dataset", "patients"]);
    expect(first.code).to.equal(0);
    expect(first.stdout).to.match(/ {2}pending {2}randomized {2}/);
    expect(first.stderr).to.match(/next, from \S+Z on: sealwright keys rotate --due -c /);
    const second = await json("rotate", ["--dataset", "patients"]);
    expect([second["added"], (second["waiting"] as unknown[]).length]).to.deep.equal([[], 1]);
    expect(await states()).to.deep.equal(["active", "active", "pending"]);
  });

  it("does with --due what is due, says each thing, and then nothing", async () => {
    await run("rotate", ["--dataset", "patients", "--spread", "0s"]);
    const before = readFileSync(join(folder(), "keyring.json"));
    const dry = await run("rotate", ["--due", "--dry-run"]);
    expect(dry.stdout).to.match(/^[0-9a-f]{16} {2}any\/patients {2}would be active/);
    expect(readFileSync(join(folder(), "keyring.json")).equals(before)).to.equal(true);
    const due = await run("rotate", ["--due"]);
    expect(due.stdout).to.match(/^[0-9a-f]{16} {2}any\/patients {2}active: seals from now on\n$/);
    const again = await run("rotate", ["--due"]);
    expect([again.code, again.stdout]).to.deep.equal([0, ""]);
    const closed = await json("rotate", ["--due", "--spread", "0s"]);
    expect((closed["closed"] as unknown[]).length).to.equal(1);
    expect(await states()).to.deep.equal(["active", "active", "decrypt-only"]);
  });

  it("renews by keys.rotation.every", async () => {
    writeFileSync(config, readFileSync(config, "utf8").replace("kek: dev,", "kek: dev, rotation: { every: 30d },"));
    expect((await run("rotate", ["--due"])).stdout).to.equal("");
    const now = Date.now.bind(Date);
    Date.now = () => now() + 30 * 86_400_000;
    const due = await run("rotate", ["--due"]).finally(() => (Date.now = now));
    expect(due.stdout, due.stderr).to.match(/^[0-9a-f]{16} {2}any\/patients {2}pending until \S+Z\n$/);
    expect(await states()).to.deep.equal(["active", "active", "pending"]);
  });

  it("makes a deterministic key only where the scope is typed out, and lets it take the old one's place", async () => {
    const asked = ["--dataset", "patients", "--use", "deterministic"];
    const refused = await run("rotate", asked);
    expect([refused.code, refused.stdout]).to.deep.equal([2, ""]);
    expect(refused.stderr).to.include("--deterministic any/patients");
    expect((await run("rotate", [...asked, "--deterministic", "any/other"])).code).to.equal(2);
    const made = await json("rotate", [...asked, "--deterministic", "any/patients", "--spread", "0s"]);
    const [key] = made["added"] as readonly KeyShown[];
    expect((await run("activate", [key!.id])).code).to.equal(1);
    expect((await run("activate", [key!.id, "--replace"])).code).to.equal(0);
    expect(await states()).to.deep.equal(["active", "active", "decrypt-only"]);
  });

  const wrong: readonly (readonly string[])[] = [
    ["--due", "--all"],
    ["--due", "--dataset", "patients"],
    ["--all", "--dataset", "patients"],
    ["--all", "--use", "deterministic", "--deterministic", "any/any"],
    ["--dry-run"],
    ["--deterministic", "any/any"],
    ["--spread", "soon"],
  ];
  for (const args of wrong)
    it(`is called wrongly with ${args.join(" ")}`, async () => {
      expect((await run("rotate", args)).code).to.equal(2);
    });

  it("is a problem where no key seals in the scope", async () => {
    const { error } = (await json("rotate")) as { error: { code: string } };
    expect(error.code).to.equal("key_state");
  });
});
