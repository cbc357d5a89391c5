import { expect } from "chai";

import { KmsBench } from "./kms-bench.ts";
import { contractCases } from "./kms-contract-cases.ts";
import { faultCases } from "./kms-fault-cases.ts";
import type { KmsMatrix } from "./kms-matrix.ts";
import { kmsCases, type KmsStage, type KmsTraits } from "./kms-stage.ts";

const cases = [...contractCases, ...faultCases];

/** Runs every case of the port's contract against one provider, and writes what came of it into the matrix. */
export function describeKmsConformance(
  provider: string,
  startStage: () => Promise<KmsStage>,
  { traits = {}, matrix }: { readonly traits?: KmsTraits; readonly matrix: KmsMatrix },
): void {
  describe(`KMS port, ${provider}`, function () {
    this.timeout(60_000);
    let bench: KmsBench;

    before(async () => {
      bench = new KmsBench(await startStage(), traits);
    });
    afterEach(() => bench.stage.front?.mend());
    after(() => bench.close());

    for (const { name, title, slow, run } of cases) {
      const reason = traits.notApplicable?.[name];
      if (reason !== undefined) {
        matrix.set(provider, name, `n/a: ${reason}`);
        continue;
      }
      if (slow === true && traits.quick === true) {
        matrix.set(provider, name, "n/a: left to the other stage of this provider");
        continue;
      }
      it(title, async () => {
        matrix.set(provider, name, "NO");
        await run(bench);
        matrix.set(provider, name, "yes");
      });
    }

    it("has a case or a reason for every row of the matrix", () => {
      expect(cases.map(({ name }) => name)).to.have.members([...kmsCases]);
    });
  });
}
