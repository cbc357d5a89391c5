import { SealwrightError } from "../../../base/sealwright-error.ts";
import { readAdminToken } from "../../../ops/admin-token.ts";
import { askAdmin } from "../../ask-admin.ts";
import { loadSidecar } from "../../config/load-sidecar.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";

export const keysPurgeCommand: CommandShape = {
  name: "purge",
  summary: "have the running sidecar drop every data key from its memory, and read the keyring again",
  example: "sealwright keys purge -c sidecar.yaml",
  details:
    "It speaks with the admin listener that the file names, with the token of admin.tokenFile; run it where the sidecar runs.\n" +
    "What is asked for next is asked of the key service: while that is out of reach, nothing is sealed or opened.",
  options: [configOption],
  act: async ({ terminal, json, required }) => {
    const { config } = loadSidecar(required("config"), { files: "noted" });
    const { admin, adminTokenFile } = config;
    const token = adminTokenFile === undefined ? undefined : await readAdminToken(adminTokenFile);
    if (token === undefined)
      throw new SealwrightError("admin_refused", { reason: "admin.tokenFile is not there or holds no token" });
    const { status, body } = await askAdmin(admin, {
      method: "POST",
      path: "/keys/purge",
      token: token.toString("latin1"),
    });
    const purged = status === 200 ? purgedOf(body) : undefined;
    if (purged === undefined) throw new SealwrightError("admin_refused", { reason: `status ${status}` });
    if (json) terminal.result(JSON.stringify({ ok: true, purged }));
    else terminal.result(`${purged} data ${purged === 1 ? "key" : "keys"} dropped`);
    return exitCode.done;
  },
};

function purgedOf(body: string): number | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    const purged: unknown =
      typeof answer === "object" && answer !== null && "purged" in answer ? answer.purged : undefined;
    return typeof purged === "number" ? purged : undefined;
  } catch {
    return undefined;
  }
}
