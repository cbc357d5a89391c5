import { addKey } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { entryLines, entryMembers } from "../keyring-entries.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { datasetName, durationMs, keyUse, tenantName, timeMs } from "../option-values.ts";
import { usageProblem } from "../usage-problem.ts";

export const keysAddCommand: CommandShape = {
  name: "add",
  summary: "add a data key to the keyring",
  example: "sealwright keys add -c sidecar.yaml --dataset patients --active",
  details:
    "A new key is pending: sidecars learn it, and keys activate lets it seal once every sidecar has it. --active skips that,\n" +
    "which is safe for the first key of its scope and use only, and refused for any other.",
  options: [
    configOption,
    { flags: "--use <use>", help: "default randomized", choices: ["randomized", "deterministic"] },
    { flags: "--tenant <tenant>", help: "for this tenant only; default any" },
    { flags: "--dataset <dataset>", help: "for this dataset only; default any" },
    {
      flags: "--not-before <time>",
      help: "earliest activation, such as 2026-12-31T00:00:00Z, never before the spread",
    },
    { flags: "--spread <time>", help: "how long sidecars have to learn the key; default 10m, 0s where none runs" },
    { flags: "--active", help: "seal with it at once: for the first key of its scope" },
  ],
  act: async ({ terminal, json, required, option, flag }) => {
    const [notBefore, spread] = [option("not-before"), option("spread")];
    const [tenant, dataset] = [option("tenant"), option("dataset")];
    if (flag("active") && (notBefore !== undefined || spread !== undefined))
      throw usageProblem("--active is at once: it goes with neither --not-before nor --spread");
    const wanted = {
      use: keyUse(option("use") ?? "randomized"),
      scope: {
        tenant: tenant === undefined ? undefined : tenantName(tenant),
        dataset: dataset === undefined ? undefined : datasetName(dataset),
      },
      notBeforeMs: notBefore === undefined ? undefined : timeMs("not-before", notBefore),
      spreadMs: spread === undefined ? undefined : durationMs("spread", spread),
      active: flag("active"),
    };
    const entry = await withKeyringOffice(required("config"), (office) => addKey(office, wanted));
    if (json) terminal.result(JSON.stringify({ ok: true, key: entryMembers(entry) }));
    else for (const line of entryLines([entry])) terminal.result(line);
    return exitCode.done;
  },
};
