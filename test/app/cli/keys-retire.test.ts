import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

const day = 86_400_000;

describe("keys retire, keys destroy and keys receipt verify", () => {
  const folder = useScratchFolder();
  let config: string;
  let old: string;
  let sealed: string;

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const codeOf = (ran: Ran): unknown => (JSON.parse(ran.stdout) as { error: { code: string } }).error.code;
  const idIn = async (state: string): Promise<string> =>
    (await run("keys list", ["--state", state, "--ids"])).stdout.trim();
  const place = ["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", "7"];
  /** Runs a command as it would run `ms` later. */
  const later = async (ms: number, work: () => Promise<Ran>): Promise<Ran> => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + ms;
    return work().finally(() => (Date.now = now));
  };

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    await run("keys init");
    await run("keys add", ["--dataset", "patients", "--active"]);
    old = await idIn("active");
    sealed = (await run("seal", place, '"078-05-1120"')).stdout;
    await run("keys rotate", ["--dataset", "patients", "--spread", "0s"]);
    await run("keys rotate", ["--due"]);
    await run("keys rotate", ["--due", "--spread", "0s"]);
    expect(await idIn("decrypt-only")).to.equal(old);
  });

  it("never retires a key that seals, forced or not", async () => {
    const active = await idIn("active");
    for (const args of [[active], [active, "--force", active]])
      expect(codeOf(await run("keys retire", [...args, "--json"]))).to.equal("key_state");
  });

  it("refuses a key of which nobody knows whether it is in use, whatever its age, and says why", async () => {
    const early = await run("keys retire", [old]);
    expect([early.code, early.stdout]).to.deep.equal([1, ""]);
    expect(early.stderr).to.match(/^not retired: .*window ends at /m);
    const aged = await later(61 * day, () => run("keys retire", [old, "--json"]));
    expect([aged.code, codeOf(aged)]).to.deep.equal([1, "key_in_use"]);
    expect(await idIn("decrypt-only")).to.equal(old);
  });

  it("is forced by the whole id only; the value opens before and not after", async () => {
    expect((await run("open", place, sealed)).stdout).to.equal('"078-05-1120"\n');
    const { code } = await run("keys retire", [old, "--force", old.slice(0, 16)]);
    expect(code).to.equal(2);
    const forced = await run("keys retire", [old.slice(0, 12), "--force", old]);
    expect([forced.code, await idIn("retired")]).to.deep.equal([0, old]);
    expect(forced.stderr).to.include("forced, although ");
    expect(codeOf(await run("open", [...place, "--json"], sealed))).to.equal("open_failed");
  });

  it("retires a pending key at once", async () => {
    await run("keys rotate", ["--dataset", "patients"]);
    const pending = await idIn("pending");
    expect((await run("keys retire", [pending])).code).to.equal(0);
    expect(await idIn("retired")).to.equal(pending);
  });

  describe("of a retired key", () => {
    const out = (): string => join(folder(), "receipt.json");

    beforeEach(async () => {
      await run("keys retire", [old, "--force", old]);
    });

    it("destroys by the whole id given twice, and gives a receipt that verifies", async () => {
      for (const args of [
        [old.slice(0, 32), "--yes-destroy", old.slice(0, 32)],
        [old, "--yes-destroy", old.slice(0, 16)],
        [old],
      ])
        expect((await run("keys destroy", args)).code).to.equal(2);
      const destroyed = await run("keys destroy", [old, "--yes-destroy", old, "--out", out()]);
      expect(destroyed.code, destroyed.stderr).to.equal(0);
      expect(destroyed.stdout).to.equal(readFileSync(out(), "utf8"));
      expect(destroyed.stderr).to.include("backups");
      const verified = await run("keys receipt verify", [out()]);
      expect(verified.code, verified.stdout).to.equal(0);
      expect(verified.stdout.match(/^ok /gm)).to.have.length(4);
      const piped = await run("keys receipt verify", ["-", "--json"], destroyed.stdout);
      expect(JSON.parse(piped.stdout)).to.include({ ok: true, keyId: old });
      expect(codeOf(await run("keys destroy", [old, "--yes-destroy", old, "--json"]))).to.equal("key_state");
    });

    it("does not destroy where the receipt cannot be written", async () => {
      writeFileSync(out(), "mine");
      const ran = await run("keys destroy", [old, "--yes-destroy", old, "--out", out(), "--json"]);
      expect([codeOf(ran), readFileSync(out(), "utf8")]).to.deep.equal(["file_exists", "mine"]);
      const nowhere = await run("keys destroy", [old, "--yes-destroy", old, "--out", join(folder(), "no/r.json")]);
      expect(nowhere.code).to.equal(1);
      expect((await run("keys rewrap", ["--only", old])).code).to.equal(0);
    });

    it("leaves no empty receipt when nothing was destroyed", async () => {
      const active = await idIn("active");
      expect((await run("keys destroy", [active, "--yes-destroy", active, "--out", out()])).code).to.equal(1);
      expect(existsSync(out())).to.equal(false);
    });

    it("finds a receipt that was changed, and one whose key is back", async () => {
      const before = readFileSync(join(folder(), "keyring.json"));
      await run("keys destroy", [old, "--yes-destroy", old, "--out", out()]);
      const changed = readFileSync(out(), "utf8")
        .replace('"keys destroy",\n', '"keys destroy",\n ')
        .replace(/"after": \d+/, '"after": 3');
      expect((await run("keys receipt verify", ["-"], changed)).stdout).to.match(/^not ok +signature/m);
      expect(codeOf(await run("keys receipt verify", ["-", "--json"], "{}"))).to.equal("receipt_invalid");
      writeFileSync(join(folder(), "keyring.json"), before);
      const back = await run("keys receipt verify", [out()]);
      expect(back.code).to.equal(1);
      for (const check of ["tombstone", "wraps", "probe"])
        expect(back.stdout).to.match(new RegExp(`^not ok +${check}: `, "m"));
    });
  });
});
