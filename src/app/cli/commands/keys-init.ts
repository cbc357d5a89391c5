import { maxShards } from "../../../keys/keyring/keyring-file.ts";
import { createKeyring } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import { configOption } from "../config-option.ts";
import type { CommandShape } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { wholeNumber } from "../option-values.ts";
import { usageProblem } from "../usage-problem.ts";

export const keysInitCommand: CommandShape = {
  name: "init",
  summary: "make the keyring that the sidecar file names, without keys yet",
  example: "sealwright keys init -c sidecar.yaml",
  details:
    "Prints the root's id. Put it into the sidecar file as keys.rootId, and no other keyring can take its place; from then on\n" +
    "init refuses to make one. A keyring that is lost comes back by keys restore only.",
  options: [configOption, { flags: "--shards <count>", help: "write a folder of so many files; default one file" }],
  act: async ({ terminal, json, required, option }) => {
    const shards = wholeNumber("shards", option("shards") ?? "1");
    if (shards > maxShards) throw usageProblem(`--shards takes ${maxShards} at most`);
    const { path, rootId } = await withKeyringOffice(required("config"), async (office) => {
      const created = await createKeyring(office, shards);
      return { path: office.store.location, rootId: created.rootId };
    });
    if (json) terminal.result(JSON.stringify({ ok: true, keyring: path, rootId }));
    else {
      terminal.result(`rootId: ${rootId}`);
      terminal.progress(`wrote ${path}; add keys with: sealwright keys add`);
    }
    return exitCode.done;
  },
};
