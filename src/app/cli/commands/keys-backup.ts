import { createFile } from "../../../keys/keyring/atomic-file.ts";
import { printKeyringBackup } from "../../../keys/life-cycle/keyring-backup.ts";
import { backUpKeyring } from "../../../keys/life-cycle/restore-keyring.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { withKeyringOffice } from "../keyring-office.ts";

export const keysBackupCommand: CommandShape = {
  name: "backup",
  summary: "write the whole keyring, verified, into one file",
  example: "sealwright keys backup -c sidecar.yaml --out keyring-backup.json",
  details:
    "Make one after every change, and keep it where the keyring is not. It holds wrapped keys only, and opens nothing without\n" +
    "the key service; yet whoever may use that opens with it what was sealed under keys that have been destroyed since. Never\n" +
    "writes over a file. The digest is that of `jq -cSj .shards keyring-backup.json | sha256sum`.",
  options: [configOption, { flags: "--out <file>", help: "the file to make", required: true }],
  act: async ({ terminal, json, required }) => {
    const file = required("out");
    const backup = await withKeyringOffice(required("config"), backUpKeyring);
    await createFile(file, printKeyringBackup(backup));
    const { keyring, sha256 } = backup;
    const { root, generation, entries } = keyring;
    if (json)
      terminal.result(JSON.stringify({ ok: true, file, rootId: root.id, generation, keys: entries.length, sha256 }));
    else {
      terminal.result(`sha256: ${sha256}`);
      terminal.progress(`wrote ${file}: generation ${generation}, ${entries.length} keys, rootId ${root.id}`);
    }
    return exitCode.done;
  },
};
