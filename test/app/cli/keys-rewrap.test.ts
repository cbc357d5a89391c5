import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

describe("keys rewrap", () => {
  const folder = useScratchFolder();
  let config: string;

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const place = ["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", "7"];
  const useKek = (from: string, to: string): void =>
    writeFileSync(config, readFileSync(config, "utf8").replace(`kek: ${from},`, `kek: ${to},`));

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace(
        "kms: { dev: { provider: local, keyFile: kek.json } }",
        "kms: { dev: { provider: local, keyFile: kek.json }, next: { provider: local, keyFile: next.json } }",
      ),
    );
    for (const file of ["kek.json", "next.json"]) await runInProcess(["kek", "create", join(folder(), file)]);
    await run("keys init");
    await run("keys add", ["--dataset", "patients", "--active"]);
  });

  it("moves all keys to another KEK while data stays as it is, and the old one can go", async () => {
    const sealed = (await run("seal", place, '"078-05-1120"')).stdout;
    const renewed = await run("keys rewrap");
    expect([renewed.code, renewed.stdout]).to.deep.equal([
      0,
      "2 of 2 keys changed: 2 wraps renewed, 0 added, 0 dropped\n",
    ]);
    const moved = await run("keys rewrap", ["--to", "next", "--drop", "dev", "--json"]);
    expect(JSON.parse(moved.stdout)).to.deep.equal({
      ok: true,
      keys: 2,
      changedKeys: 2,
      replaced: 0,
      added: 2,
      dropped: 2,
    });
    expect(moved.stderr).to.include("change keys.kek or keys.wraps");
    useKek("dev", "next");
    writeFileSync(config, readFileSync(config, "utf8").replace("dev: { provider: local, keyFile: kek.json }, ", ""));
    rmSync(join(folder(), "kek.json"));
    const opened = await run("open", place, sealed);
    expect(opened.stdout, opened.stderr).to.equal('"078-05-1120"\n');
  });

  it("refuses to drop the only wrap", async () => {
    const ran = await run("keys rewrap", ["--drop", "dev", "--json"]);
    expect([ran.code, (JSON.parse(ran.stdout) as { error: { code: string } }).error.code]).to.deep.equal([
      1,
      "key_state",
    ]);
  });

  const wrong: readonly (readonly string[])[] = [
    ["--to", "next", "--drop", "next"],
    ["--only", "abc"],
    ["--only", "ABCDEF0123"],
    ["--parallel", "65"],
    ["--parallel", "0"],
  ];
  for (const args of wrong)
    it(`is called wrongly with ${args.join(" ")}`, async () => {
      expect((await run("keys rewrap", args)).code).to.equal(2);
    });
});
