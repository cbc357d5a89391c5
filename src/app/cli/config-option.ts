import type { CommandOption } from "./command.ts";

/** Every command that works on a configuration takes it the same way. */
export const configOption: CommandOption = {
  flags: "-c, --config <file>",
  help: "sidecar file",
  required: true,
};
