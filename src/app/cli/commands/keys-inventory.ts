import { systemClock } from "../../../base/clock.ts";
import { listKeys } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import type { KeyringEntry } from "../../../keys/keyring/keyring-file.ts";
import { defaultRotation } from "../../../keys/keys-config.ts";
import { loadSidecar } from "../../config/load-sidecar.ts";
import { keyInventory } from "../../inventory/key-inventory.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { inventoryLines, inventoryMembers } from "../inventory-lines.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { sightingOptions, sightingsOf } from "../sighting-options.ts";
import { usageProblem } from "../usage-problem.ts";

async function keyringEntries(file: string, hasKeyring: boolean): Promise<readonly KeyringEntry[]> {
  return hasKeyring ? (await withKeyringOffice(file, listKeys)).entries : [];
}

export const keysInventoryCommand: CommandShape = {
  name: "inventory",
  summary: "show which keys are in use, which may retire and why, and values that no key here opens",
  example: "sealwright keys inventory -c sidecar.yaml --scan dump.ndjson",
  details:
    "A scan searches files of any kind for sealed values and asks no key service for them: JSON and NDJSON, SQL dumps, a store's\n" +
    "own files; gzip and Zstandard are unpacked. It cannot see into what the store itself compresses or encrypts: scan an export\n" +
    "then. Exit code 1 when values were found that nothing here opens.",
  options: [configOption, ...sightingOptions],
  act: async (call) => {
    const { terminal, json, required, list } = call;
    if (list("reports").length + list("scan").length === 0)
      throw usageProblem("one of --reports and --scan is needed: without them keys list shows all there is to know");
    const { keys, kms } = loadSidecar(required("config"), { files: "noted" }).config;
    const entries = await keyringEntries(required("config"), keys?.keyring !== undefined);
    const sightings = await sightingsOf(call);
    const inventory = keyInventory({
      entries,
      keks: new Set(kms.keys()),
      sightings,
      now: systemClock.wallMs(),
      decryptOnlyMs: (keys?.rotation ?? defaultRotation).decryptOnly,
    });
    const sound = inventory.unopenable === 0;
    if (json) terminal.result(JSON.stringify({ ok: sound, ...inventoryMembers(inventory, sightings) }));
    else {
      for (const line of inventoryLines(inventory, sightings)) terminal.result(line);
      if (!sound)
        terminal.progress(
          `${terminal.paint.bad(`${inventory.unopenable} values cannot be opened here`)}: find the keyring or KEK of their keys before it is gone`,
        );
    }
    return sound ? exitCode.done : exitCode.problem;
  },
};
