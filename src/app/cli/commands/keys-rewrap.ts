import { rewrapKeyring, type RewrapReport } from "../../../keys/life-cycle/rewrap.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { commandLabour } from "../command-labour.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { streamRewrap } from "../rewrap-stream.ts";
import { openingOptions } from "../stream-options.ts";
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

const ofStream = ["ndjson", "tenant", "dataset", "resume", "keep-going"];
const ofKeyring = ["drop", "only", "parallel"];

/** An option that has no say would be taken for one that has. Throws `usage`. */
function refuseOptionsOfTheOther({ option, flag, list, argument }: CommandCall): void {
  const isGiven = (name: string): boolean => option(name) !== undefined || flag(name) || list(name).length > 0;
  const stream = flag("stream");
  const unused = (stream ? ofKeyring : ofStream).find(isGiven);
  if (unused !== undefined) throw usageProblem(`--${unused} goes ${stream ? "without" : "with"} --stream`);
  if (!stream && argument(0) !== undefined) throw usageProblem("files go with --stream");
}

export const keysRewrapCommand: CommandShape = {
  name: "rewrap",
  summary: "move the wraps of all data keys to their KEK's newest version, or to another KEK; data is not touched",
  example: "sealwright keys rewrap -c sidecar.yaml",
  details:
    "Each new wrap is opened and the key compared before an old wrap goes. --to adds a wrap under another KEK of the sidecar\n" +
    "file, --drop takes one away; together they move keys. Run again after an interruption: it goes on. Sidecars need to know a\n" +
    "KEK before wraps under the old one are dropped.\n" +
    "With --stream it renews the wraps inside inline values of a dump, from [in] to [out]: give the tenants and, where they are not\n" +
    "those of the field maps, the datasets; with --to values leave the KEK that they name. What is sealed is neither opened nor\n" +
    "changed.",
  parameters: [
    { name: "[in]", help: "with --stream: input; default stdin" },
    { name: "[out]", help: "with --stream: output, which must not exist; default stdout" },
  ],
  options: [
    configOption,
    { flags: "--to <kek>", help: "wrap each key under this KEK too" },
    { flags: "--drop <kek>", help: "remove this KEK's wraps, where another wrap is proven to open" },
    { flags: "--only <ids>", help: "only these keys, by id with commas between; not the root" },
    { flags: "--parallel <count>", help: "calls at once; default 8" },
    { flags: "--stream", help: "rewrap inline values of one JSON text, or of its lines with --ndjson" },
    { flags: "--ndjson", help: "with --stream: each line is one JSON text" },
    {
      flags: "--tenant <tenant>",
      help: "with --stream: a tenant whose values it may hold; can be repeated",
      repeatable: true,
    },
    { flags: "--dataset <dataset>", help: "with --stream: a dataset, likewise; can be repeated", repeatable: true },
    { flags: "--resume", help: "with --stream: go on with an interrupted run that wrote to the same output" },
    ...openingOptions,
  ],
  act: async (call) => {
    refuseOptionsOfTheOther(call);
    if (call.flag("stream")) return streamRewrap(call);
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
