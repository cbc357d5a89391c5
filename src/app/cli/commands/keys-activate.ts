import { SealwrightError } from "../../../base/sealwright-error.ts";
import { activateKey } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import { replaceDeterministic } from "../../../keys/life-cycle/replace-deterministic.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { entryLines, entryMembers } from "../keyring-entries.ts";
import { withKeyringOffice } from "../keyring-office.ts";

export const keysActivateCommand: CommandShape = {
  name: "activate",
  summary: "let a pending key seal, from its notBefore on",
  example: "sealwright keys activate -c sidecar.yaml $(sealwright keys list -c sidecar.yaml --state pending --ids)",
  parameters: [{ name: "<id>", help: "the key's id, or its first 8 digits or more" }],
  details:
    "With --replace a deterministic key takes the place of the one of its scope, which seals no more from then on. Until every\n" +
    "sidecar has read that (some two minutes) equal strings may be sealed under either; run keys reseal afterwards.",
  options: [configOption, { flags: "--replace", help: "deterministic: close the key of its scope that seals now" }],
  act: async ({ terminal, json, required, argument, flag }) => {
    const id = argument(0);
    if (id === undefined) throw new SealwrightError("internal", { reason: "argument id is required" });
    const activate = flag("replace") ? replaceDeterministic : activateKey;
    const entry = await withKeyringOffice(required("config"), (office) => activate(office, id));
    if (json) terminal.result(JSON.stringify({ ok: true, key: entryMembers(entry) }));
    else for (const line of entryLines([entry])) terminal.result(line);
    return exitCode.done;
  },
};
