import { readFileSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import { editEntries } from "../../src/keys/keyring/edit-entries.ts";
import type { KeyringEntry } from "../../src/keys/keyring/keyring-file.ts";
import { listKeys, type KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { mintKey } from "../../src/keys/life-cycle/new-entry.ts";
import { openWrap } from "../../src/keys/life-cycle/open-wrap.ts";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { dataContext } from "../../src/kms/context.ts";
import { openLocalKms } from "../../src/kms/local/local.ts";
import { runInProcess, writeSidecarFolder } from "../app/cli/command-line.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");
const keys = 300;

/** Commands that change the keyring, ended by SIGKILL at any moment. */
describe("keys commands that are killed", () => {
  const folder = useScratchFolder();
  let config: string;
  let office: KeyringOffice;

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    const one = "dev: { provider: local, keyFile: kek.json }";
    const both = `${one}, next: { provider: local, keyFile: next.json }`;
    writeFileSync(config, readFileSync(config, "utf8").replace(one, both));
    for (const file of ["kek.json", "next.json"]) await runInProcess(["kek", "create", join(folder(), file)]);
    await runInProcess(["keys", "init", "-c", config]);
    const kms = new Map([
      ["dev", await openLocalKms({ provider: "local", keyFile: join(folder(), "kek.json") })],
      ["next", await openLocalKms({ provider: "local", keyFile: join(folder(), "next.json") })],
    ]);
    office = { store: openKeyringStore(join(folder(), "keyring.json")), kms, keks: ["dev"], clock: systemClock };
    const born = { state: "active", createdAt: "2026-01-01T00:00:00Z", notBefore: "2026-01-01T00:00:00Z" } as const;
    const minted: KeyringEntry[] = [];
    for (let index = 0; index < keys; index += 1)
      minted.push({ ...(await mintKey(office, { use: "randomized", scope: { tenant: `t${index}` } })), ...born });
    await editEntries(office, () => minted);
  });

  /** Runs the command and kills it after `ms`. True when it had ended before. */
  async function killed(args: readonly string[], ms: number): Promise<boolean> {
    const child = spawn(process.execPath, [program, "keys", ...args, "-c", config], { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), ms);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(timer);
    return code !== null;
  }

  async function assertWhole(): Promise<void> {
    const { entries } = await listKeys(office);
    const first = entries.filter(({ createdAt }) => createdAt === "2026-01-01T00:00:00Z");
    expect(first).to.have.length(keys);
    for (const entry of entries) (await openWrap({ ...entry, context: dataContext(entry.scope) }, office.kms)).fill(0);
  }

  for (const args of [
    ["rewrap", "--parallel", "1"],
    ["rewrap", "--to", "next", "--drop", "dev"],
    ["rotate", "--all", "--spread", "0s"],
  ])
    it(`${args.join(" ")}: one valid generation or the other, and the next run goes on`, async function () {
      this.timeout(40_000);
      for (const ms of [500, 800, 1100, 1400]) {
        await killed(args, ms);
        await assertWhole();
      }
      expect(await killed(args, 30_000)).to.equal(true);
      await assertWhole();
    });
});
