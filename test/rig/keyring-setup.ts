import { runCommand, type ProgramOrder } from "./sidecar.ts";

/** Makes the keyring that `sidecar.yaml` of the folder names: one active key of each use for every tenant and dataset. */
export async function makeKeyring(order: Pick<ProgramOrder, "folder" | "env">): Promise<void> {
  for (const command of [["init"], addActive("randomized"), addActive("deterministic")]) {
    const result = await runCommand({ ...order, args: ["keys", ...command, "-c", "sidecar.yaml"] });
    if (result.code !== 0) throw new Error(`keys ${command[0] ?? ""} failed: ${result.stdout}${result.stderr}`);
  }
}

const addActive = (use: string): readonly string[] => ["add", "--active", "--use", use];
