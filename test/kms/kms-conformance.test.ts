import { describeKmsConformance } from "../rig/kms-conformance.ts";
import { awsStandInTraits, startAwsStandInStage } from "../rig/aws-stand-in-stage.ts";
import { gcpTraits, startGcpStage } from "../rig/gcp-stage.ts";
import { KmsMatrix } from "../rig/kms-matrix.ts";
import { localTraits, startLocalStage } from "../rig/local-stage.ts";
import { recoveryTraits, startRecoveryStage } from "../rig/recovery-stage.ts";

/** Where no server of others is needed; all providers and the slow cases are in test/real/kms-conformance.test.ts. */
describe("KMS conformance, quick", () => {
  const matrix = new KmsMatrix();
  describeKmsConformance("local", startLocalStage, { traits: localTraits, matrix });
  describeKmsConformance("recovery", startRecoveryStage, { traits: recoveryTraits, matrix });
  describeKmsConformance("aws (stand-in)", startAwsStandInStage, { traits: awsStandInTraits, matrix });
  describeKmsConformance("gcp (fake)", startGcpStage, { traits: { ...gcpTraits, quick: true }, matrix });
});
