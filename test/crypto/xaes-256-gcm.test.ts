import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { doubled, Xaes256Gcm } from "../../src/crypto/xaes-256-gcm.ts";
import { vectorFileOrSkip } from "../rig/vectors.ts";
import { FixedNonces } from "./fixed-nonces.ts";
import { hex, xaesOpen, xaesSeal } from "./reference.ts";

/** Nonce, then ciphertext and tag. */
function seal(key: Buffer, nonce: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const cipher = new Xaes256Gcm(key, new FixedNonces(nonce));
  const body = cipher.seal(plaintext, aad);
  cipher.end();
  return body;
}

function open(key: Buffer, body: Buffer, aad: Buffer): Buffer | undefined {
  return new Xaes256Gcm(key, new FixedNonces()).open(body, aad);
}

/** The vectors printed in the specification: `Name: hex` or `Name: "text"`, one block of lines per vector. */
function specificationVectors(text: string): ReadonlyMap<string, Buffer>[] {
  const blocks =
    text
      .split("Test vectors")[1]
      ?.split("### Accumulated")[0]
      ?.split(/^ {4}K: /m)
      .slice(1) ?? [];
  return blocks.map((block) => {
    const lines = `K: ${block}`.matchAll(/^ *([A-Za-zₓ0-9]+): (?:"(.*)"|([0-9a-f]+))$/gmu);
    return new Map(
      Array.from(lines, ([, name = "", quoted, digits = ""]) => [
        name,
        quoted === undefined ? hex(digits) : Buffer.from(quoted, "ascii"),
      ]),
    );
  });
}

/** The first `bytes` bytes of SHAKE-128 over nothing: the specification's deterministic generator. */
class ShakeStream {
  readonly #stream: Buffer;
  #at = 0;

  constructor(bytes: number) {
    this.#stream = createHash("shake128", { outputLength: bytes }).digest();
  }

  take(bytes: number): Buffer {
    this.#at += bytes;
    return this.#stream.subarray(this.#at - bytes, this.#at);
  }

  takeShort(): Buffer {
    return this.take(this.take(1)[0] ?? 0);
  }
}

describe("XAES-256-GCM", () => {
  it("makes and opens the vectors of the C2SP specification, both of them", function () {
    const vectors = specificationVectors(readFileSync(vectorFileOrSkip(this, "xaes-256-gcm/XAES-256-GCM.md"), "utf8"));
    expect(vectors.length).to.equal(2);
    for (const vector of vectors) {
      const get = (name: string): Buffer => vector.get(name) ?? Buffer.alloc(0);
      const body = Buffer.concat([get("N"), get("Ciphertext")]);
      expect(doubled(get("L")).equals(get("K1"))).to.equal(true);
      expect(seal(get("K"), get("N"), get("Plaintext"), get("AAD")).equals(body)).to.equal(true);
      expect(open(get("K"), body, get("AAD"))?.equals(get("Plaintext"))).to.equal(true);
    }
  });

  it("passes the specification's accumulated test of 10,000 messages", function () {
    const iterations = 10_000;
    const source = new ShakeStream(iterations * (32 + 24 + 2 * 256));
    const accumulated = createHash("shake128", { outputLength: 32 });
    for (let i = 0; i < iterations; i++) {
      const [key, nonce] = [source.take(32), source.take(24)];
      const [plaintext, aad] = [source.takeShort(), source.takeShort()];
      const body = seal(key, nonce, plaintext, aad);
      if (i % 10 === 0) expect(open(key, body, aad)?.equals(plaintext)).to.equal(true);
      accumulated.update(body.subarray(24));
    }
    // In the specification: "The resulting hash for 10 000 iterations".
    expect(accumulated.digest("hex")).to.equal("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
  });

  it("agrees with a straightforward second implementation on CMAC", () => {
    const bytes = (min: number, max: number) =>
      fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes(32, 32), bytes(24, 24), bytes(0, 100), bytes(0, 100), (key, nonce, plaintext, aad) => {
        const body = Buffer.concat([nonce, xaesSeal(key, nonce, plaintext, aad)]);
        expect(seal(key, nonce, plaintext, aad).equals(body)).to.equal(true);
        expect(open(key, body, aad)?.equals(plaintext)).to.equal(true);
        expect(xaesOpen(key, body, aad)?.equals(plaintext)).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });

  it("derives another message key for every first half of a nonce and uses the second half as it is", () => {
    const key = Buffer.alloc(32, 7);
    const plaintext = Buffer.alloc(16);
    const bodies = new Set<string>();
    for (let byte = 0; byte < 24; byte++) {
      const nonce = Buffer.alloc(24);
      nonce[byte] = 1;
      bodies.add(seal(key, nonce, plaintext, Buffer.alloc(0)).subarray(24).toString("hex"));
    }
    expect(bodies.size).to.equal(24);
  });

  it("does not keep the caller's key", () => {
    const key = Buffer.alloc(32, 7);
    const cipher = new Xaes256Gcm(key, new FixedNonces(Buffer.alloc(24)));
    key.fill(0);
    const body = cipher.seal(Buffer.from("x"), Buffer.alloc(0));
    expect(open(Buffer.alloc(32, 7), body, Buffer.alloc(0))?.toString()).to.equal("x");
  });

  it("cannot be used after its end", () => {
    const cipher = new Xaes256Gcm(Buffer.alloc(32, 7), new FixedNonces(Buffer.alloc(24)));
    const body = cipher.seal(Buffer.from("x"), Buffer.alloc(0));
    cipher.end();
    // The runtime's own error, which has no code: the cipher's context is gone.
    expect(() => cipher.open(body, Buffer.alloc(0))).to.throw(Error);
  });
});
