import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RecoveryKmsConfig } from "../../src/kms/kms-config.ts";
import { createRecoveryKey } from "../../src/kms/recovery/recovery.ts";
import type { KmsStage, KmsTraits } from "./kms-stage.ts";
import { localTraits } from "./local-stage.ts";

export const recoveryTraits: KmsTraits = {
  notApplicable: { ...localTraits.notApplicable, "rewrap to a new version": "one pair a KEK" },
};

/** Two recovery keys with their secrets at hand, as on the day on which they are fetched from the safe. */
export async function startRecoveryStage(): Promise<KmsStage> {
  const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
  const keyAt = async (name: string): Promise<RecoveryKmsConfig> => {
    const secretFile = join(folder, name);
    return { provider: "recovery", recipient: await createRecoveryKey(secretFile), secretFile };
  };
  return {
    kek: await keyAt("secret"),
    otherKek: await keyAt("other"),
    secrets: ["SWR-RECOVERY-SECRET-1"],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
