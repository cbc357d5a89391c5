import { listKeys } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { entryLines, entryMembers } from "../keyring-entries.ts";
import { withKeyringOffice } from "../keyring-office.ts";

export const keysListCommand: CommandShape = {
  name: "list",
  summary: "show the keys of the keyring, after verifying it",
  example: "sealwright keys list -c sidecar.yaml",
  options: [
    configOption,
    {
      flags: "--state <state>",
      help: "only keys in this state",
      choices: ["pending", "active", "decrypt-only", "retired"],
    },
    { flags: "--ids", help: "whole ids only, one a line" },
  ],
  act: async ({ terminal, json, required, option, flag }) => {
    const keyring = await withKeyringOffice(required("config"), listKeys);
    const state = option("state");
    const entries = keyring.entries.filter((entry) => state === undefined || entry.state === state);
    if (json)
      terminal.result(JSON.stringify({ ok: true, generation: keyring.generation, keys: entries.map(entryMembers) }));
    else if (flag("ids")) for (const { id } of entries) terminal.result(id);
    else {
      terminal.progress(`generation ${keyring.generation}, ${entries.length} ${entries.length === 1 ? "key" : "keys"}`);
      for (const line of entryLines(entries)) terminal.result(line);
    }
    return exitCode.done;
  },
};
