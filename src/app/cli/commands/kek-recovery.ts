import { createRecoveryKey } from "../../../kms/recovery/recovery.ts";
import type { CommandShape } from "../command.ts";
import { exitCode } from "../exit-code.ts";

export const kekRecoveryCommand: CommandShape = {
  name: "recovery",
  summary: "make an offline recovery key: the secret for a safe, and the recipient for the configuration",
  example: "sealwright kek recovery --out recovery-secret.txt > recipient.txt",
  details:
    "Run it on a machine that you trust, not in the pod. The recipient goes to stdout and into the sidecar file:\n" +
    "  kms: { safe: { provider: recovery, recipient: ... } }    keys: { wraps: [safe] }\n" +
    "The file gets mode 0600 and is never overwritten. Print it or copy it to two media, put them into two safes, and remove it.",
  options: [{ flags: "--out <file>", help: "where to write the secret; must not exist", required: true }],
  act: async ({ terminal, json, required }) => {
    const file = required("out");
    const recipient = await createRecoveryKey(file);
    terminal.progress(`wrote the secret to ${file}, mode 0600: take it offline and keep it safe`);
    terminal.result(json ? JSON.stringify({ ok: true, file, recipient }) : recipient);
    return exitCode.done;
  },
};
