import { parseErasureReceipt } from "../../../keys/life-cycle/erasure-receipt.ts";
import { verifyReceipt } from "../../../keys/life-cycle/verify-receipt.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { findingLines } from "../finding-lines.ts";
import { withKeyringOffice } from "../keyring-office.ts";

export const keysReceiptVerifyCommand: CommandShape = {
  name: "verify",
  summary: "hold the receipt of a destroyed key against the keyring: who signed it, and that the key opens nothing",
  example: "sealwright keys receipt verify -c sidecar.yaml receipt.json",
  details: "Exits 1 when a check is not ok. It looks at the keyring that the sidecar file names, not at copies of it.",
  parameters: [{ name: "<receipt>", help: "the file that keys destroy wrote; - = stdin" }],
  options: [configOption],
  act: async ({ terminal, json, required, argument }) => {
    const receipt = parseErasureReceipt(await terminal.input(argument(0) ?? "-"));
    const findings = await withKeyringOffice(required("config"), (office) => verifyReceipt(office, receipt));
    const ok = findings.every(({ status }) => status === "ok");
    const { key, destroyedAt, generation } = receipt;
    if (json) terminal.result(JSON.stringify({ ok, keyId: key.id, destroyedAt, generation, findings }));
    else {
      terminal.progress(`key ${key.id}, destroyed ${destroyedAt} with generation ${generation.after}`);
      for (const line of findings.flatMap((finding) => findingLines(finding, terminal))) terminal.result(line);
    }
    return ok ? exitCode.done : exitCode.problem;
  },
};
