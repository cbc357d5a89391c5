import { Command } from "commander";
import packageFile from "../../../package.json" with { type: "json" };
import { addCommand, type CommandHost, type CommandShape } from "./command.ts";
import { checkCommand } from "./commands/check.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { demoCommand } from "./commands/demo.ts";
import { explainCommand } from "./commands/explain.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { kekCreateCommand } from "./commands/kek-create.ts";
import { kekRecoveryCommand } from "./commands/kek-recovery.ts";
import { keysActivateCommand } from "./commands/keys-activate.ts";
import { keysAddCommand } from "./commands/keys-add.ts";
import { keysBackupCommand } from "./commands/keys-backup.ts";
import { keysCostCommand } from "./commands/keys-cost.ts";
import { keysDestroyCommand } from "./commands/keys-destroy.ts";
import { keysInventoryCommand } from "./commands/keys-inventory.ts";
import { keysInitCommand } from "./commands/keys-init.ts";
import { keysPurgeCommand } from "./commands/keys-purge.ts";
import { keysReceiptVerifyCommand } from "./commands/keys-receipt-verify.ts";
import { keysRestoreCommand } from "./commands/keys-restore.ts";
import { keysRetireCommand } from "./commands/keys-retire.ts";
import { keysResealCommand } from "./commands/keys-reseal.ts";
import { keysRewrapCommand } from "./commands/keys-rewrap.ts";
import { keysRotateCommand } from "./commands/keys-rotate.ts";
import { openCommand } from "./commands/open.ts";
import { trustPinCommand } from "./commands/trust-pin.ts";
import { sealCommand } from "./commands/seal.ts";
import { runCommand } from "./commands/run.ts";
import { keysListCommand } from "./commands/keys-list.ts";

/** Commands in the order of the help. */
export const commands: readonly CommandShape[] = [
  runCommand,
  checkCommand,
  explainCommand,
  inspectCommand,
  sealCommand,
  openCommand,
  doctorCommand,
  demoCommand,
];

export interface CommandGroup {
  /** The words that its commands begin with; a group of two words stands after the group of the first. */
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandShape[];
}

/** Commands with a first word in common: `sealwright keys list`. */
export const commandGroups: readonly CommandGroup[] = [
  {
    name: "keys",
    summary: "the keyring: make it, list, add and activate data keys",
    commands: [
      keysInitCommand,
      keysListCommand,
      keysAddCommand,
      keysActivateCommand,
      keysRotateCommand,
      keysRewrapCommand,
      keysResealCommand,
      keysInventoryCommand,
      keysRetireCommand,
      keysDestroyCommand,
      keysBackupCommand,
      keysRestoreCommand,
      keysPurgeCommand,
      keysCostCommand,
    ],
  },
  { name: "keys receipt", summary: "receipts of destroyed keys", commands: [keysReceiptVerifyCommand] },
  { name: "trust", summary: "whom the sidecar believes", commands: [trustPinCommand] },
  {
    name: "kek",
    summary: "keys that wrap data keys: for development, and for a safe",
    commands: [kekCreateCommand, kekRecoveryCommand],
  },
];

function newProgram(name: string, host: CommandHost): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.terminal.result(text.trimEnd()),
      writeErr: (text) => host.terminal.progress(text.trimEnd()),
    })
    .showHelpAfterError("(add --help for how it is used)");
}

/** The command line as a whole. */
export function buildProgram(host: CommandHost): Command {
  const program = newProgram("sealwright", host)
    .description("Seals the JSON fields you name on their way to storage, and opens them on their way back.")
    .version(packageFile.version)
    .helpCommand(false);
  for (const shape of commands) addCommand(program, host, shape);
  const groups = new Map<string, Command>();
  for (const { name, summary, commands: members } of commandGroups) {
    const words = name.split(" ");
    const parent = groups.get(words.slice(0, -1).join(" ")) ?? program;
    const group = parent
      .command(words.at(-1) ?? name)
      .description(summary)
      .helpCommand(false);
    groups.set(name, group);
    for (const shape of members) addCommand(group, host, shape);
  }
  return program;
}
