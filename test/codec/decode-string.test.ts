import { expect } from "chai";
import fc from "fast-check";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { decodeJsonString } from "../../src/codec/decode-string.ts";
import { stringText } from "./json-arbitrary.ts";

describe("codec/decode string", () => {
  it("gives the text that JSON.parse gives, and refuses it where UTF-8 cannot hold it", () => {
    fc.assert(
      fc.property(stringText, (source) => {
        const text = JSON.parse(source) as string;
        const decode = (): string => decodeJsonString(Buffer.from(source));
        if (text.isWellFormed()) expect(decode()).to.equal(text);
        else
          expect(decode)
            .to.throw()
            .and.satisfy((error: unknown) => hasCode(error, "lone_surrogate"));
      }),
      { numRuns: 1500 },
    );
  });
});
