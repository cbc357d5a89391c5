import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { hasCode } from "../../../src/base/sealwright-error.ts";
import { addKey } from "../../../src/keys/life-cycle/keyring-life-cycle.ts";
import { openKeyringStore } from "../../../src/keys/keyring/stores/open-keyring-store.ts";
import { openLocalKms } from "../../../src/kms/local/local.ts";

/** A process that adds so many keys to the keyring of a folder, again while it is busy, and tells each id once it stands. */
const [folder = "", count = "0"] = process.argv.slice(2);
const kms = new Map([["dev", await openLocalKms({ provider: "local", keyFile: join(folder, "kek.json") })]]);
const office = { store: openKeyringStore(join(folder, "ring")), kms, keks: ["dev"], clock: systemClock };

let added = 0;
while (added < Number(count)) {
  try {
    const { id } = await addKey(office, { use: "randomized", scope: { dataset: "patients" } });
    process.stdout.write(`${id}\n`);
    added += 1;
  } catch (error) {
    if (!hasCode(error, "keyring_busy")) throw error;
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
  }
}
