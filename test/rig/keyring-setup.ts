import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { runCommand, type ProgramOrder } from "./sidecar.ts";

type Order = Pick<ProgramOrder, "folder" | "env">;

const addActive = (use: string): readonly string[] => ["add", "--active", "--use", use];

/**
 * Makes the keyring that `sidecar.yaml` of the folder names, by the program's own commands: an active key of each use for every
 * tenant and dataset.
 */
export async function makeKeyring({ folder, env }: Order): Promise<Buffer> {
  for (const command of [["init"], addActive("randomized"), addActive("deterministic")]) {
    const result = await runCommand({ folder, env: env ?? {}, args: ["keys", ...command, "-c", "sidecar.yaml"] });
    if (result.code !== 0) throw new Error(`keys ${command[0] ?? ""} failed: ${result.stdout}${result.stderr}`);
  }
  return readFile(join(folder, "keyring.json"));
}

let made: Promise<Buffer> | undefined;

/** The same keyring for every folder of a run: for folders whose KEK is the key service's stand-in, which is one for all. */
export async function shareKeyring(order: Order): Promise<void> {
  made ??= makeKeyring(order);
  await writeFile(join(order.folder, "keyring.json"), await made, { mode: 0o600 });
}
