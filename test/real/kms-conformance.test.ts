import { awsStandInTraits, startAwsStandInStage } from "../rig/aws-stand-in-stage.ts";
import { gcpTraits, startGcpStage } from "../rig/gcp-stage.ts";
import { describeKmsConformance } from "../rig/kms-conformance.ts";
import { KmsMatrix } from "../rig/kms-matrix.ts";
import type { KmsStage } from "../rig/kms-stage.ts";
import { localTraits, startLocalStage } from "../rig/local-stage.ts";
import { recoveryTraits, startRecoveryStage } from "../rig/recovery-stage.ts";
import { awsTraits, startAwsStage } from "./stage/aws-kms.ts";
import { pkcs11Traits, startPkcs11Stage } from "./stage/softhsm.ts";
import { startVaultStage, vaultTraits } from "./stage/vault-kms.ts";

describe("KMS conformance", () => {
  const matrix = new KmsMatrix();
  after(() => {
    process.stdout.write(`\nKMS conformance, provider by case\n\n${matrix.toString()}\n\n`);
  });

  describeKmsConformance("local", startLocalStage, { traits: localTraits, matrix });
  describeKmsConformance("recovery", startRecoveryStage, { traits: recoveryTraits, matrix });
  describeKmsConformance("aws (stand-in)", startAwsStandInStage, { traits: awsStandInTraits, matrix });
  describeKmsConformance("gcp (fake)", startGcpStage, { traits: gcpTraits, matrix });
  describeKmsConformance("aws (moto)", startAwsStage, { traits: awsTraits, matrix });
  describeKmsConformance("vault (OpenBao)", startVaultStage, { traits: vaultTraits, matrix });
  // By SoftHSM2.
  for (const mechanism of ["aes-gcm", "aes-key-wrap"] as const) {
    const stage = (): Promise<KmsStage> => startPkcs11Stage(mechanism);
    describeKmsConformance(`pkcs11 ${mechanism}`, stage, { traits: pkcs11Traits, matrix });
  }
});
