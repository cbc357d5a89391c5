import { expect } from "chai";
import { NoncePool } from "../../src/crypto/random.ts";

describe("NoncePool", () => {
  it("gives 24 fresh bytes each time, over many refills", () => {
    const pool = new NoncePool();
    const nonces = Array.from({ length: 1000 }, () => pool.next());
    expect(nonces.every((nonce) => nonce.length === 24)).to.equal(true);
    expect(new Set(nonces.map((nonce) => nonce.toString("hex"))).size).to.equal(1000);
  });

  it("gives every byte of a nonce from the generator: no position is constant", () => {
    const pool = new NoncePool();
    const nonces = Array.from({ length: 256 }, () => pool.next());
    for (let at = 0; at < 24; at++) expect(new Set(nonces.map((nonce) => nonce[at])).size).to.be.greaterThan(64);
  });

  it("gives nonces away for good: what the caller does to one changes no other", () => {
    const pool = new NoncePool();
    const first = pool.next();
    const kept = Buffer.from(first);
    const second = pool.next();
    second.fill(0);
    expect(first.equals(kept)).to.equal(true);
    expect(pool.next().equals(Buffer.alloc(24))).to.equal(false);
  });

  it("shares nothing with another pool", () => {
    expect(new NoncePool().next().equals(new NoncePool().next())).to.equal(false);
  });
});
