import { expect } from "chai";
import fc from "fast-check";
import { Aes256Siv } from "../../src/crypto/aes-siv.ts";
import { sivOpen, sivSeal } from "./reference.ts";

const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));

describe("AES-256-SIV", () => {
  it("agrees with a straightforward second implementation on CMAC, empty plaintexts and AADs included", () => {
    fc.assert(
      fc.property(bytes(64, 64), bytes(0, 70), bytes(0, 70), (key, plaintext, aad) => {
        const body = sivSeal(key, [aad], plaintext);
        const cipher = new Aes256Siv(key);
        expect(cipher.seal(plaintext, aad).equals(body)).to.equal(true);
        expect(cipher.open(body, aad)?.equals(plaintext)).to.equal(true);
        expect(sivOpen(key, [aad], body)?.equals(plaintext)).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses a synthetic IV alone that belongs to other AAD", () => {
    const cipher = new Aes256Siv(Buffer.alloc(64, 1));
    const body = cipher.seal(Buffer.alloc(0), Buffer.from("a"));
    expect(cipher.open(body, Buffer.from("a"))?.length).to.equal(0);
    expect(cipher.open(body, Buffer.from("b"))).to.equal(undefined);
    expect(cipher.open(Buffer.alloc(16), Buffer.from("a"))).to.equal(undefined);
  });

  it("does not keep the caller's key, and keeps nothing of its own after its end", () => {
    const key = Buffer.alloc(64, 1);
    const cipher = new Aes256Siv(key);
    key.fill(0);
    const zeroed = new Aes256Siv(key).seal(Buffer.from("x"), Buffer.alloc(0));
    expect(cipher.seal(Buffer.from("x"), Buffer.alloc(0)).equals(zeroed)).to.equal(false);
    cipher.end();
    expect(cipher.seal(Buffer.from("x"), Buffer.alloc(0)).equals(zeroed)).to.equal(true);
  });
});
