import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { expect } from "chai";
import { boundedInput } from "../../../src/app/cli/bounded-input.ts";
import { failureCode } from "../../rig/failure-code.ts";

describe("input of commands", () => {
  it("is read whole up to its limit", async () => {
    const parts = [Buffer.from("ab"), Buffer.from("cd")];
    expect((await boundedInput(Readable.from(parts), 4)).toString()).to.equal("abcd");
    expect(await failureCode(() => boundedInput(Readable.from(parts), 3))).to.equal("body_too_large");
  });

  it("is not waited for where it never ends", async () => {
    const endless = createReadStream("/dev/zero");
    expect(await failureCode(() => boundedInput(endless, 1024 * 1024))).to.equal("body_too_large");
    expect(endless.destroyed).to.equal(true);
  });
});
