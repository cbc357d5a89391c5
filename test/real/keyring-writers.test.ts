import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import { createKeyring, listKeys, type KeyringOffice } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { createLocalKeyFile, openLocalKms } from "../../src/kms/local/local.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const adding = resolve(import.meta.dirname, "stage/adding-process.ts");

interface Writer {
  readonly child: ChildProcess;
  /** Ids that it told. */
  readonly told: Promise<readonly string[]>;
}

/** Processes that change one keyring at once, some of them killed at any moment, their locks with them. */
describe("keyring with writers of many processes", () => {
  const folder = useScratchFolder();
  let office: KeyringOffice;

  async function keyringOf(shards: number): Promise<void> {
    const keyFile = join(folder(), "kek.json");
    await createLocalKeyFile(keyFile);
    const kms = new Map([["dev", await openLocalKms({ provider: "local", keyFile })]]);
    office = { store: openKeyringStore(join(folder(), "ring")), kms, keks: ["dev"], clock: systemClock };
    await createKeyring(office, shards);
  }

  function writer(count: number): Writer {
    const child = spawn(process.execPath, [adding, folder(), String(count)], { stdio: ["ignore", "pipe", "inherit"] });
    return { child, told: text(child.stdout).then((lines) => lines.split("\n").filter((line) => line.length === 64)) };
  }

  const entries = async (): Promise<readonly string[]> => (await listKeys(office)).entries.map(({ id }) => id);

  /** But for the right to take a lock over, which stays with one who is killed just then, until the next takeover. */
  const names = (place: string): readonly string[] =>
    readdirSync(place)
      .filter((name) => !name.endsWith("+"))
      .toSorted();

  for (const shards of [1, 3])
    it(`loses no entry that it was told stands, in ${shards} file(s)`, async function () {
      this.timeout(40_000);
      await keyringOf(shards);
      const steady = Array.from({ length: 3 }, () => writer(12));
      const killed: Writer[] = [];
      for (let round = 0; round < 6; round += 1) {
        const victim = writer(1000);
        killed.push(victim);
        setTimeout(() => victim.child.kill("SIGKILL"), 600 + Math.random() * 300);
        await once(victim.child, "close");
        await entries();
      }
      for (const { child } of steady)
        if (child.exitCode === null) expect(((await once(child, "close")) as [number])[0]).to.equal(0);
      const told = await Promise.all([...steady, ...killed].map((each) => each.told));
      expect(await entries()).to.include.members(told.flat());
      expect(told.slice(0, 3).map((ids) => ids.length)).to.deep.equal([12, 12, 12]);
      expect(told.slice(3).flat()).not.to.deep.equal([]);
      // A victim's last key may stand without having been told.
      expect((await entries()).length - told.flat().length).to.be.within(0, killed.length);
      const last = writer(1);
      expect(await last.told).to.have.length(1);
      expect(names(folder())).to.deep.equal(["kek.json", "ring"]);
      if (shards > 1)
        expect(names(join(folder(), "ring"))).to.deep.equal([0, 1, 2].map((index) => `shard-${index}.json`));
    });
});
