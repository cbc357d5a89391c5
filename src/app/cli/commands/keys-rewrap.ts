import { rewrapKeyring, type RewrapReport } from "../../../keys/rewrap.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { commandLabour } from "../command-labour.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { wholeNumber } from "../option-values.ts";
import { usageProblem } from "../usage-problem.ts";

const mostParallel = 64;

function parallelOf({ option }: CommandCall): number | undefined {
  const text = option("parallel");
  if (text === undefined) return undefined;
  const parallel = wholeNumber("parallel", text);
  if (parallel > mostParallel) throw usageProblem(`--parallel takes at most ${mostParallel}`);
  return parallel;
}

async function rewrapKeys(call: CommandCall): Promise<RewrapReport> {
  const { terminal, required, option } = call;
  const [to, drop] = [option("to"), option("drop")];
  if (to !== undefined && to === drop) throw usageProblem("--to and --drop name the same KEK");
  const only = option("only")?.split(",");
  if (only?.some((id) => !/^[0-9a-f]{8,64}$/.test(id)) === true)
    throw usageProblem("--only takes ids of 8 to 64 hex digits, with commas between");
  const labour = commandLabour(terminal, "keys", parallelOf(call));
  return withKeyringOffice(required("config"), (office) => {
    if (drop !== undefined && office.keks.includes(drop))
      terminal.progress(`the sidecar file still wraps new keys under ${drop}: change keys.kek or keys.wraps`);
    return rewrapKeyring(office, { to, drop, only }, labour);
  });
}

export const keysRewrapCommand: CommandShape = {
  name: "rewrap",
  summary: "move the wraps of all data keys to their KEK's newest version, or to another KEK; data is not touched",
  example: "sealwright keys rewrap -c sidecar.yaml",
  details:
    "Each new wrap is opened and the key compared before an old wrap goes. --to adds a wrap under another KEK of the sidecar\n" +
    "file, --drop takes one away; together they move keys. Run again after an interruption: it goes on. Sidecars need to know a\n" +
    "KEK before wraps under the old one are dropped.",
  options: [
    configOption,
    { flags: "--to <kek>", help: "wrap each key under this KEK too" },
    { flags: "--drop <kek>", help: "remove this KEK's wraps, where another wrap is proven to open" },
    { flags: "--only <ids>", help: "only these keys, by id with commas between; not the root" },
    { flags: "--parallel <count>", help: "calls at once; default 8" },
  ],
  act: async (call) => {
    const report = await rewrapKeys(call);
    const { keys, changedKeys, replaced, added, dropped } = report;
    if (call.json) call.terminal.result(JSON.stringify({ ok: true, ...report }));
    else
      call.terminal.result(
        `${changedKeys} of ${keys} keys changed: ${replaced} wraps renewed, ${added} added, ${dropped} dropped`,
      );
    return exitCode.done;
  },
};
