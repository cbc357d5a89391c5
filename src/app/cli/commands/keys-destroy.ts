import { rm } from "node:fs/promises";
import { createFile, replaceFile } from "../../../keys/keyring/atomic-file.ts";
import { destroyKey } from "../../../keys/life-cycle/destroy-key.ts";
import { printErasureReceipt, type ErasureReceipt } from "../../../keys/life-cycle/erasure-receipt.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { usageProblem } from "../usage-problem.ts";

function destroyed({ required }: CommandCall, id: string): Promise<ErasureReceipt> {
  return withKeyringOffice(required("config"), (office) => destroyKey(office, id));
}

/** The file is made before anything is destroyed: a receipt that can't be written would be one lost. */
async function destroyedWithFile(call: CommandCall, id: string, out: string): Promise<ErasureReceipt> {
  await createFile(out, "");
  let receipt: ErasureReceipt | undefined;
  try {
    receipt = await destroyed(call, id);
    await replaceFile(out, printErasureReceipt(receipt));
    return receipt;
  } catch (error) {
    // The key is gone: its receipt exists nowhere else.
    if (receipt !== undefined) call.terminal.progress(printErasureReceipt(receipt).trimEnd());
    await rm(out, { force: true });
    throw error;
  }
}

export const keysDestroyCommand: CommandShape = {
  name: "destroy",
  summary: "remove a retired key's wraps for ever and give a receipt; what it sealed can never be opened again",
  example:
    "id=$(sealwright keys list -c sidecar.yaml --state retired --ids) && " +
    "sealwright keys destroy -c sidecar.yaml $id --yes-destroy $id --out receipt.json",
  details:
    "The receipt goes to stdout, and to the file of --out, which must not exist. This removes the wraps from the keyring that\n" +
    "the sidecar file names, not from copies: backups, older versions of a ConfigMap, snapshots of etcd or disks, replicas and\n" +
    "git histories. Remove those too, or whoever has one and may use its KEK opens the values still.",
  parameters: [{ name: "<id>", help: "all 64 digits of the key's id" }],
  options: [
    configOption,
    { flags: "--yes-destroy <id>", help: "the whole id once more", required: true },
    { flags: "--out <file>", help: "write the receipt there too" },
  ],
  act: async (call) => {
    const { terminal, json, required, option, argument } = call;
    const [id, out] = [argument(0) ?? "", option("out")];
    if (!/^[0-9a-f]{64}$/.test(id)) throw usageProblem("the key is named by all 64 digits of its id");
    if (required("yes-destroy") !== id) throw usageProblem("--yes-destroy takes the same id once more");
    const receipt = await (out === undefined ? destroyed(call, id) : destroyedWithFile(call, id, out));
    if (json) terminal.result(JSON.stringify({ ok: true, receipt }));
    else terminal.result(printErasureReceipt(receipt).trimEnd());
    terminal.progress(
      "keep the receipt, and remove copies of the keyring: backups, ConfigMap versions, snapshots, replicas",
    );
    return exitCode.done;
  },
};
