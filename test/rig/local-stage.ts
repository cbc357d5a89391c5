import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLocalKeyFile } from "../../src/kms/local/local.ts";
import type { KmsStage, KmsTraits } from "./kms-stage.ts";

const noNetwork = "a file, no network";

export const localTraits: KmsTraits = {
  notApplicable: {
    "rewrap to a new version": "one key a file",
    "throttled, then answered": noNetwork,
    "5 s slow": noNetwork,
    hang: noNetwork,
    "reset mid-answer": noNetwork,
    garbage: noNetwork,
    "wrong certificate, nothing sent": noNetwork,
    "TLS 1.2 only": noNetwork,
    "credentials renewed mid-run": "no credentials",
  },
};

/** Two key files. */
export async function startLocalStage(): Promise<KmsStage> {
  const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
  const [kek, otherKek] = [join(folder, "kek.json"), join(folder, "other.json")];
  await createLocalKeyFile(kek);
  await createLocalKeyFile(otherKek);
  return {
    kek: { provider: "local", keyFile: kek },
    otherKek: { provider: "local", keyFile: otherKek },
    secrets: [],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
