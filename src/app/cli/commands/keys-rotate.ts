import { formatDuration } from "../../../base/units.ts";
import type { KeyringEntry } from "../../../keys/keyring/keyring-file.ts";
import { defaultSpreadMs } from "../../../keys/life-cycle/new-entry.ts";
import {
  lookForDue,
  rotateDue,
  rotateKeys,
  type RotatedKeys,
  type RotationWish,
} from "../../../keys/life-cycle/rotation.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { commandLabour } from "../command-labour.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { entryLines, entryMembers } from "../keyring-entries.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { datasetName, durationMs, keyUse, tenantName } from "../option-values.ts";
import { usageProblem } from "../usage-problem.ts";

const scopeOptions = ["tenant", "dataset", "use", "deterministic"] as const;

function spreadOf({ option }: CommandCall): number {
  const spread = option("spread");
  return spread === undefined ? defaultSpreadMs : durationMs("spread", spread);
}

function scopeText({ tenant, dataset }: KeyringEntry["scope"]): string {
  return `${tenant ?? "any"}/${dataset ?? "any"}`;
}

/** What the call asks for. Throws `usage`. */
function wishOf(call: CommandCall): RotationWish {
  const { option, flag } = call;
  const [tenant, dataset] = [option("tenant"), option("dataset")];
  const scope = {
    ...(tenant === undefined ? {} : { tenant: tenantName(tenant) }),
    ...(dataset === undefined ? {} : { dataset: datasetName(dataset) }),
  };
  const use = keyUse(option("use") ?? "randomized");
  const all = flag("all");
  if (all && (tenant !== undefined || dataset !== undefined))
    throw usageProblem("--all is every scope: it goes with neither --tenant nor --dataset");
  if (use === "deterministic" && (all || option("deterministic") !== scopeText(scope)))
    throw usageProblem(
      "a new deterministic key ends equality: equal strings sealed before and after differ, so searches miss old values and " +
        `unique constraints let doubles in until all is sealed anew (keys reseal). To do it, add: --deterministic ${scopeText(scope)}`,
    );
  if (use === "randomized" && option("deterministic") !== undefined)
    throw usageProblem("--deterministic goes with --use deterministic");
  return { use, scope: all ? "all" : scope, spreadMs: spreadOf(call) };
}

async function rotateNow(call: CommandCall): Promise<void> {
  const { terminal, json, required } = call;
  const wish = wishOf(call);
  const rotated = await withKeyringOffice(required("config"), (office) =>
    rotateKeys(office, wish, commandLabour(terminal, "new keys")),
  );
  if (json) {
    const { added, waiting } = rotated;
    terminal.result(JSON.stringify({ ok: true, added: added.map(entryMembers), waiting: waiting.map(entryMembers) }));
  } else tellRotated(call, rotated, wish);
}

function tellRotated(
  { terminal, required }: CommandCall,
  { added, waiting }: RotatedKeys,
  { use }: RotationWish,
): void {
  const pending = [...added, ...waiting];
  for (const line of entryLines(pending)) terminal.result(line);
  if (waiting.length > 0) terminal.progress(`${waiting.length} pending already: no second key was made beside them`);
  const latest =
    pending
      .map(({ notBefore }) => notBefore)
      .sort()
      .at(-1) ?? "";
  const config = required("config");
  terminal.progress(
    use === "randomized"
      ? `next, from ${latest} on: sealwright keys rotate --due -c ${config}`
      : `next, from ${latest} on: sealwright keys activate -c ${config} --replace ID, then seal old values anew`,
  );
}

async function rotateWhatIsDue(call: CommandCall): Promise<void> {
  const { terminal, json, required, flag, option } = call;
  if (flag("all") || scopeOptions.some((name) => option(name) !== undefined))
    throw usageProblem("--due looks at every scope: it goes with none of --all, --tenant, --dataset, --use");
  const spreadMs = spreadOf(call);
  const labour = commandLabour(terminal, "new keys");
  const dryRun = flag("dry-run");
  const done = await withKeyringOffice(required("config"), async (office, { rotation }) => {
    const timing = { everyMs: rotation?.every, spreadMs };
    if (!dryRun) return rotateDue(office, timing, labour);
    const { activate, close, renew } = await lookForDue(office, timing);
    return { activated: activate, closed: close, added: renew.map((scope) => ({ scope })) };
  });
  const { activated, closed, added } = done;
  if (json) {
    const members = { activated: activated.map(entryMembers), closed: closed.map(entryMembers) };
    const made = added.map((entry) => ("id" in entry ? entryMembers(entry) : entry));
    terminal.result(JSON.stringify({ ok: true, dryRun, ...members, added: made }));
    return;
  }
  const will = dryRun ? "would be " : "";
  const line = ({ id, scope }: Pick<KeyringEntry, "id" | "scope">, what: string): void =>
    terminal.result(`${id.slice(0, 16)}  ${scopeText(scope)}  ${will}${what}`);
  for (const entry of activated) line(entry, "active: seals from now on");
  for (const entry of closed) line(entry, "decrypt-only: a newer key seals");
  for (const entry of added) {
    if ("id" in entry) line(entry, `pending until ${entry.notBefore}`);
    else
      terminal.result(
        `${"new key".padEnd(16)}  ${scopeText(entry.scope)}  would be pending for ${formatDuration(spreadMs)}`,
      );
  }
  if (activated.length + closed.length + added.length === 0) terminal.progress("nothing is due");
}

export const keysRotateCommand: CommandShape = {
  name: "rotate",
  summary: "add new data keys beside those that seal now, or do what is due of a rotation",
  example: "sealwright keys rotate -c sidecar.yaml --dataset patients && sealwright keys rotate -c sidecar.yaml --due",
  details:
    "A new key is pending until every sidecar has read it; what was sealed before stays readable under the older keys. --due is\n" +
    "for a scheduled job, as often as you like: pending keys whose time has come become active, keys that a newer one has\n" +
    "replaced become decrypt-only, and scopes whose newest key is older than keys.rotation.every get a new one. It never retires\n" +
    "a key and never touches deterministic ones.",
  options: [
    configOption,
    { flags: "--tenant <tenant>", help: "the key of this tenant; default the one of any" },
    { flags: "--dataset <dataset>", help: "the key of this dataset; default the one of any" },
    { flags: "--use <use>", help: "default randomized", choices: ["randomized", "deterministic"] },
    { flags: "--all", help: "every scope in which a randomized key seals" },
    { flags: "--due", help: "do what is due now, and nothing else" },
    { flags: "--dry-run", help: "with --due: only say what would be done" },
    { flags: "--spread <time>", help: "how long sidecars have to learn a new key; default 10m" },
    {
      flags: "--deterministic <scope>",
      help: "the scope typed out, such as any/patients: equality with older values ends",
    },
  ],
  act: async (call) => {
    if (call.flag("dry-run") && !call.flag("due")) throw usageProblem("--dry-run goes with --due");
    await (call.flag("due") ? rotateWhatIsDue(call) : rotateNow(call));
    return exitCode.done;
  },
};
