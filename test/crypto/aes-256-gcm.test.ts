import { expect } from "chai";
import { gcmOpen, gcmSeal } from "../../src/crypto/aes-256-gcm.ts";

const key = { key: Buffer.alloc(32, 1), nonce: Buffer.alloc(12, 2) };
const aad = Buffer.from("aad");

describe("AES-256-GCM", () => {
  it("refuses tags cut to any length, or longer (C-06)", () => {
    const { ciphertext, tag } = gcmSeal(key, Buffer.from("078-05-1120"), aad);
    const opened = (bytes: Buffer): string | undefined => gcmOpen(key, { ciphertext, tag: bytes }, aad)?.toString();
    for (let length = 0; length < 16; length++) expect(opened(tag.subarray(0, length))).to.equal(undefined);
    expect(opened(Buffer.concat([tag, Buffer.alloc(1)]))).to.equal(undefined);
    expect(opened(tag)).to.equal("078-05-1120");
  });
});
