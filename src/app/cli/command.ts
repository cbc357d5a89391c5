import { Option, type Command } from "commander";
import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import { exitCode, type ExitCode } from "./exit-code.ts";
import { tellFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a command: `--name VALUE`, or `--name` alone. */
export interface CommandOption {
  /** As commander writes them: `-c, --config <file>`. */
  readonly flags: string;
  readonly help: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** May be given several times: `CommandCall.list` has all. */
  readonly repeatable?: boolean;
}

/** What a command is called with. Names are those of the flags without dashes (`record`, `not-before`). */
export interface CommandCall {
  readonly terminal: Terminal;
  /** `--json`: one JSON document on stdout. */
  readonly json: boolean;
  /** The option's value; `undefined` when it was not given. */
  readonly option: (name: string) => string | undefined;
  /** The value of a required option. */
  readonly required: (name: string) => string;
  readonly flag: (name: string) => boolean;
  /** All values of a repeatable option. */
  readonly list: (name: string) => readonly string[];
  /** The positional argument, counted from 0. */
  readonly argument: (index: number) => string | undefined;
}

/** A command as a table row: commander is told from it, and the tests run its example. */
export interface CommandShape {
  readonly name: string;
  readonly summary: string;
  /** A shell line that works where the files it names are. */
  readonly example: string;
  /** More about it, under the options. */
  readonly details?: string;
  /** Positional arguments as commander writes them, such as `<token>`, with their help. */
  readonly parameters?: readonly { readonly name: string; readonly help: string }[];
  readonly options?: readonly CommandOption[];
  act(call: CommandCall): ExitCode | Promise<ExitCode>;
}

/** Where commands speak and leave their exit code. */
export interface CommandHost {
  readonly terminal: Terminal;
  finish(code: ExitCode): void;
}

const camel = (name: string): string => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function callOf(command: Command, terminal: Terminal): CommandCall {
  const options: Readonly<Record<string, unknown>> = command.opts();
  const option = (name: string): string | undefined => {
    const value = options[camel(name)];
    return typeof value === "string" ? value : undefined;
  };
  return {
    terminal,
    json: options["json"] === true,
    option,
    required: (name) => {
      const value = option(name);
      if (value === undefined) throw new SealwrightError("internal", { reason: `option ${name} is not required` });
      return value;
    },
    flag: (name) => options[camel(name)] === true,
    list: (name) => {
      const values = options[camel(name)];
      return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
    },
    argument: (index) => command.args[index],
  };
}

/** Adds the command that `shape` describes. Whatever it throws is told, and ends with exit code 1. */
export function addCommand(parent: Command, host: CommandHost, shape: CommandShape): void {
  const command = parent.command(shape.name).description(shape.summary);
  for (const { name, help } of shape.parameters ?? []) command.argument(name, help);
  for (const { flags, help, required, choices, repeatable } of shape.options ?? []) {
    const option = new Option(flags, help).makeOptionMandatory(required === true);
    if (repeatable === true)
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
  command.option("--json", "one JSON document on stdout");
  if (shape.details !== undefined) command.addHelpText("after", `\n${shape.details}`);
  command.addHelpText("after", `\nExample:\n  $ ${shape.example}`);
  command.action(async () => {
    const call = callOf(command, host.terminal);
    try {
      host.finish(await shape.act(call));
    } catch (error) {
      tellFailure(error, host.terminal, call.json);
      host.finish(hasCode(error, "usage") ? exitCode.usage : exitCode.problem);
    }
  });
}
