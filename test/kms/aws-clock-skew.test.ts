import { expect } from "chai";

import { awsError } from "../../src/kms/aws/aws-error.ts";

/** An error as the SDK throws it while the clock is off: any refusal is marked as corrected. */
function refusal(name: string): Error {
  return Object.assign(new Error("refused"), { name, $metadata: { httpStatusCode: 400, clockSkewCorrected: true } });
}

describe("AWS refusals while this machine's clock is off", () => {
  it("are worth a retry where the time of day alone can be the cause", () => {
    for (const name of ["InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"]) {
      expect(awsError(refusal(name), "unwrap").code, name).to.equal("kms_unavailable");
    }
  });

  it("stay refusals where a policy or a key says no, so that a revoked key is of no further use", () => {
    for (const name of ["AccessDeniedException", "DisabledException", "NotFoundException"]) {
      expect(awsError(refusal(name), "unwrap").code, name).to.equal("kms_denied");
    }
    expect(awsError(refusal("InvalidCiphertextException"), "unwrap").code).to.equal("kms_not_mine");
  });
});
