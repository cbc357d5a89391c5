import { createLocalKeyFile } from "../../../kms/local/local.ts";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import type { CommandShape } from "../command.ts";
import { exitCode } from "../exit-code.ts";

export const kekCreateCommand: CommandShape = {
  name: "create",
  summary: "write a new key file for the provider local",
  example: "sealwright kek create kek.json",
  details:
    "For development. The file gets mode 0600 and is never overwritten: what was sealed under it needs it for ever.",
  parameters: [{ name: "<file>", help: "where to write it" }],
  act: async ({ terminal, json, argument }) => {
    const file = argument(0);
    if (file === undefined) throw new SealwrightError("internal", { reason: "argument file is required" });
    await createLocalKeyFile(file);
    terminal.result(
      json ? JSON.stringify({ ok: true, file }) : `wrote ${file}, mode 0600: for development, keep it safe`,
    );
    return exitCode.done;
  },
};
