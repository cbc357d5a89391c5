import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import type { KeyReference } from "../../src/crypto/types.ts";
import { BorrowedKeys } from "../../src/engine/borrowed-keys.ts";
import type { Keys, OpeningKey } from "../../src/keys/keys.ts";
import { failureCode } from "../rig/failure-code.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";

const scope = { tenant: "t1", dataset: "d" } as const;
const named = (): KeyReference => ({ form: "keyring", shortId: randomBytes(16) });

/** Keys that answer as they are told, and count how often they are asked. */
class ToldKeys implements Keys {
  asked = 0;
  answer: () => OpeningKey | Promise<OpeningKey> = () => ({ open: () => Buffer.alloc(0), release: () => undefined });

  sealer(): never {
    throw new SealwrightError("no_key");
  }

  opener(): OpeningKey | Promise<OpeningKey> {
    this.asked += 1;
    return this.answer();
  }
}

describe("borrowed keys", () => {
  let keys: ToldKeys;
  let metrics: RecordedMetrics;
  let borrowed: BorrowedKeys;

  beforeEach(() => {
    keys = new ToldKeys();
    metrics = new RecordedMetrics();
    borrowed = new BorrowedKeys(keys, { keysPerMessage: 3 }, metrics);
  });

  const refused = (): never => {
    throw new SealwrightError("open_failed", { reason: "fake" });
  };
  const unavailable = (): never => {
    throw new SealwrightError("kms_unavailable");
  };

  for (const [how, wrap] of [
    ["at once", (work: () => never) => work],
    ["later", (work: () => never) => () => Promise.resolve().then(work)],
  ] as const) {
    it(`counts a key that is refused ${how} as it counts one that opens`, async () => {
      keys.answer = wrap(refused);
      for (let index = 0; index < 10; index += 1)
        expect(await failureCode(() => borrowed.opener(named(), scope))).to.equal("open_failed");
      expect(keys.asked).to.equal(3);
      const refusals = metrics.of("sealwright_key_budget_refusals_total");
      expect(refusals).to.have.length(7);
      expect(refusals[0]?.labels).to.deep.equal({ limit: "keys_per_message" });
    });

    it(`asks once for a key that is refused ${how}, however many values name it`, async () => {
      keys.answer = wrap(refused);
      const reference = named();
      for (let index = 0; index < 10; index += 1)
        expect(await failureCode(() => borrowed.opener(reference, scope))).to.equal("open_failed");
      expect(keys.asked).to.equal(1);
    });

    it(`asks again for a key that could not be had ${how}`, async () => {
      keys.answer = wrap(unavailable);
      const reference = named();
      for (let index = 0; index < 2; index += 1)
        expect(await failureCode(() => borrowed.opener(reference, scope))).to.equal("kms_unavailable");
      expect(keys.asked).to.equal(2);
    });
  }

  it("counts the names that are asked for, also while none has arrived yet", async () => {
    keys.answer = () => new Promise(() => undefined);
    for (let index = 0; index < 3; index += 1) void borrowed.opener(named(), scope);
    expect(await failureCode(() => borrowed.opener(named(), scope))).to.equal("open_failed");
    expect(keys.asked).to.equal(3);
  });
});
