import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { destroyKey } from "../../src/keys/life-cycle/destroy-key.ts";
import {
  activateKey,
  addKey,
  createKeyring,
  listKeys,
  type KeyringOffice,
  type NewKey,
} from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeyringBackup } from "../../src/keys/life-cycle/keyring-backup.ts";
import { backUpKeyring, restoreKeyring } from "../../src/keys/life-cycle/restore-keyring.ts";
import { retireKey } from "../../src/keys/life-cycle/retire-key.ts";
import { rewrapKeyring } from "../../src/keys/life-cycle/rewrap.ts";
import { rotateKeys } from "../../src/keys/life-cycle/rotation.ts";
import { PathStore } from "../../src/keys/keyring/stores/path-store.ts";
import { thisProcess, type ProcessName } from "../../src/keys/keyring/stores/process-name.ts";
import { FakeKms } from "../rig/fake-kms.ts";
import { withFsFault, type FsFault } from "../rig/fs-faults.ts";
import { KeysRig, moveKey } from "../rig/keyring-rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const patients = { use: "randomized", scope: { dataset: "patients" } } as const;
const wards = { use: "randomized", scope: { dataset: "wards" } } as const;
const visits = { use: "randomized", scope: { dataset: "visits" } } as const;
const faults: readonly FsFault[] = ["fail", "half", "gone", "crash", "half-crash"];

/**
 * Every command that writes a keyring, with a fault at its first file operation, its second, and so on until it needs no more.
 * What ends here is a process whose id nobody has any more, so its lock counts as left behind.
 */
describe("keyring writers with a fault at each file operation", () => {
  const folder = useScratchFolder();
  let rig: KeysRig;
  let dead: ProcessName;
  let template: string;
  let backup: KeyringBackup;
  let ids: Readonly<Record<"pending" | "active" | "decrypt-only" | "retired", string>>;

  before(async () => {
    dead = { ...(await thisProcess()), pid: spawnSync(process.execPath, ["-e", ""]).pid };
  });

  const officeAt = (place: string, holder = thisProcess): KeyringOffice =>
    rig.office(place, {
      store: new PathStore(join(place, "ring"), holder),
      kms: new Map([...rig.byName, ["next", spare]]),
    });
  const victimAt = (place: string): KeyringOffice => officeAt(place, () => Promise.resolve(dead));
  let spare: FakeKms;

  /** A keyring with a key in each state, of one file or of shards. */
  async function makeTemplate(shards: number): Promise<void> {
    rig = new KeysRig();
    spare = new FakeKms();
    template = join(folder(), "template");
    mkdirSync(template);
    const office = officeAt(template);
    await createKeyring(office, shards);
    const add = async (wanted: NewKey = patients): Promise<string> =>
      (await addKey(office, { ...wanted, spreadMs: 0 })).id;
    ids = { pending: await add(), active: await add(wards), "decrypt-only": await add(), retired: await add() };
    for (const state of ["active", "decrypt-only", "retired"] as const) await moveKey(office, ids[state], state);
    const newer = join(folder(), "newer");
    cpSync(template, newer, { recursive: true });
    await addKey(officeAt(newer), visits);
    backup = await backUpKeyring(officeAt(newer));
  }

  const rewrap = (office: KeyringOffice): Promise<unknown> =>
    rewrapKeyring(office, { to: "next", drop: "main" }, rig.labour);

  const writers: Readonly<Record<string, (office: KeyringOffice) => Promise<unknown>>> = {
    add: (office) => addKey(office, visits),
    activate: (office) => activateKey(office, ids.pending),
    rotate: (office) => rotateKeys(office, { use: "randomized", scope: "all", spreadMs: 0 }, rig.labour),
    rewrap,
    retire: async (office) => {
      const { entries } = await listKeys(office);
      const entry = entries.find(({ id }) => id === ids["decrypt-only"]);
      if (entry === undefined) return expect.fail("no entry");
      return retireKey(office, entry);
    },
    destroy: (office) => destroyKey(office, ids.retired),
    restore: (office) => restoreKeyring(office, { backup }),
  };

  /** Nothing but the keyring and locks: what is half written has a name that nobody reads, and the next writer removes it. */
  function assertTidy(place: string): void {
    expect(readdirSync(place)).to.deep.equal(["ring"]);
  }

  async function assertWhole(place: string): Promise<void> {
    const { entries } = await listKeys(officeAt(place));
    for (const id of Object.values(ids)) expect(entries.map((entry) => entry.id)).to.include(id);
    for (const { id, wraps } of entries) expect(wraps.length > 0 || id === ids.retired).to.equal(true);
  }

  async function runWithFault(
    writer: (office: KeyringOffice) => Promise<unknown>,
    fault: FsFault,
    step = 1,
  ): Promise<number> {
    for (let at = 1; ; at += step) {
      const place = mkdtempSync(join(folder(), "run-"));
      cpSync(template, place, { recursive: true });
      const { operations, outcome } = await withFsFault(fault, at, () => writer(victimAt(place)));
      if (outcome?.status === "rejected") expect(outcome.reason).to.be.instanceOf(SealwrightError);
      await assertWhole(place);
      const { id } = await addKey(officeAt(place), visits);
      expect((await listKeys(officeAt(place))).entries.map((entry) => entry.id)).to.include(id);
      assertTidy(place);
      rmSync(place, { recursive: true });
      if (operations < at) return at;
    }
  }

  // All of them share what writes; the shortest one stands for every kind of fault.
  const plan: Readonly<Record<string, readonly FsFault[]>> = {
    add: faults,
    activate: ["crash"],
    rotate: ["fail", "crash"],
    rewrap: ["gone", "half-crash"],
    retire: ["crash"],
    destroy: ["fail", "crash"],
    restore: ["half", "crash"],
  };
  for (const [command, writer] of Object.entries(writers))
    for (const fault of plan[command] ?? [])
      it(`${command}, ${fault}: the old keyring or the new one, and the next command works`, async () => {
        await makeTemplate(1);
        expect(await runWithFault(writer, fault)).to.be.greaterThan(20);
      });

  it("rewrap of three shards, crash: each is the old one or the new one", async () => {
    await makeTemplate(3);
    expect(await runWithFault(rewrap, "crash", 7)).to.be.greaterThan(60);
  });

  for (const shards of [1, 3])
    for (const fault of ["fail", "half-crash"] as const)
      it(`init of ${shards}, ${fault}: a whole keyring or none, and it can be done again`, async () => {
        rig = new KeysRig();
        spare = new FakeKms();
        for (let at = 1; ; at += 1) {
          const place = mkdtempSync(join(folder(), "run-"));
          const { operations, outcome } = await withFsFault(fault, at, () => createKeyring(victimAt(place), shards));
          const isThere = readdirSync(place).includes("ring");
          if (outcome?.status === "fulfilled") expect(isThere).to.equal(true);
          if (!isThere) await createKeyring(officeAt(place), shards);
          expect((await listKeys(officeAt(place))).shards).to.have.length(shards);
          await addKey(officeAt(place), visits);
          if (operations < at) break;
        }
      });
});
