import { parseErasureReceipt } from "../../../keys/life-cycle/erasure-receipt.ts";
import { parseKeyringBackup } from "../../../keys/life-cycle/keyring-backup.ts";
import { restoreKeyring } from "../../../keys/life-cycle/restore-keyring.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { entryLines, entryMembers } from "../keyring-entries.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { wholeNumber } from "../option-values.ts";

export const keysRestoreCommand: CommandShape = {
  name: "restore",
  summary: "put a backup of the keyring in place, or merge it into the keyring that is there",
  example: "mv keyring.json lost.json && sealwright keys restore -c sidecar.yaml keyring-backup.json",
  details:
    "The backup has to be genuine: its code by its root, and the root by keys.rootId. Into a keyring that is there it brings\n" +
    "back keys that are missing, and takes nothing away: no state goes back, and a destroyed key stays destroyed. A keyring that\n" +
    "is broken has to be moved away first. Where none is left, sidecars that run have seen generations that the backup has not,\n" +
    "and refuse lower ones: --above takes the highest value of their metric sealwright_keyring_generation. Give the receipts of\n" +
    "all keys that were destroyed after the backup was made.",
  parameters: [{ name: "<backup>", help: "the file that keys backup wrote; - = stdin" }],
  options: [
    configOption,
    { flags: "--above <generation>", help: "write a higher generation than this, which a sidecar has seen" },
    { flags: "--receipt <file>", help: "a key that must not come back, by its receipt; repeatable", repeatable: true },
    { flags: "--allow-older", help: "bring keys back into a keyring that is newer than the backup" },
  ],
  act: async ({ terminal, json, required, option, list, flag, argument }) => {
    const above = option("above");
    const receipts = [];
    for (const file of list("receipt")) receipts.push(parseErasureReceipt(await terminal.input(file)));
    const order = {
      backup: parseKeyringBackup(await terminal.input(argument(0) ?? "-")),
      receipts,
      above: above === undefined ? undefined : wholeNumber("above", above),
      allowOlder: flag("allow-older"),
    };
    const { created, keyring, changed, location } = await withKeyringOffice(required("config"), async (office) => ({
      ...(await restoreKeyring(office, order)),
      location: office.store.location,
    }));
    const { generation, root } = keyring;
    if (json)
      terminal.result(
        JSON.stringify({
          ok: true,
          keyring: location,
          created,
          rootId: root.id,
          generation,
          changed: changed.map(entryMembers),
        }),
      );
    else {
      if (changed.length > 0) for (const line of entryLines(changed)) terminal.result(line);
      const done = created ? "made" : changed.length > 0 ? "merged into" : "nothing to bring back into";
      terminal.progress(`${done} ${location}: generation ${generation}, rootId ${root.id}`);
    }
    return exitCode.done;
  },
};
