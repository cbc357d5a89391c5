import { expect } from "chai";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { laboured, type Labour } from "../../src/keys/life-cycle/labour.ts";
import { failureCode } from "../rig/failure-code.ts";
import { KeysRig } from "../rig/keyring-rig.ts";

const numbers = Array.from({ length: 50 }, (_, index) => index);
const away = (): never => {
  throw new SealwrightError("kms_unavailable", { reason: "fake" });
};

describe("labour at a key service", () => {
  const labour = (more: Partial<Labour> = {}): Labour => ({ ...new KeysRig().labour, ...more });

  it("answers in order, with no more calls at once than it may make", async () => {
    let [now, most] = [0, 0];
    const doubled = await laboured(
      numbers,
      async (item) => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setTimeout(resolve, (item * 7) % 5));
        now -= 1;
        return item * 2;
      },
      labour({ parallel: 3 }),
    );
    expect(doubled).to.deep.equal(numbers.map((item) => item * 2));
    expect(most).to.equal(3);
  });

  it("tells what is done, and that it waits", async () => {
    const told: string[] = [];
    let failing = 2;
    const progress: Labour["progress"] = (done, total, waiting) =>
      void told.push(`${done}/${total} ${waiting ? "w" : "d"}`);
    await laboured([1, 2], (item) => Promise.resolve(failing-- > 0 ? away() : item), labour({ parallel: 1, progress }));
    expect(told).to.deep.equal(["0/2 w", "0/2 w", "1/2 d", "2/2 d"]);
  });

  it("ends at once on a refusal, and begins nothing more", async () => {
    let begun = 0;
    const work = (): Promise<never> => {
      begun += 1;
      return Promise.reject(new SealwrightError("kms_denied"));
    };
    expect(await failureCode(() => laboured(numbers, work, labour({ parallel: 4 })))).to.equal("kms_denied");
    expect(begun).to.be.at.most(4);
  });

  it("gives up when nothing was answered for two minutes, however many wait", async () => {
    let asked = 0;
    const work = (): Promise<never> => {
      asked += 1;
      return new Promise((resolve) => setImmediate(resolve)).then(away);
    };
    expect(await failureCode(() => laboured(numbers, work, labour()))).to.equal("kms_unavailable");
    expect(asked).to.be.within(12, 200);
  });

  it("does nothing for nothing", async () => {
    expect(await laboured([], away, labour())).to.deep.equal([]);
  });
});
