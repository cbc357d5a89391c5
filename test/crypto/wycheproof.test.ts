import { createHmac, hkdfSync } from "node:crypto";
import { expect } from "chai";
import { gcmOpen, gcmSeal } from "../../src/crypto/aes-256-gcm.ts";
import { Aes256Siv } from "../../src/crypto/aes-siv.ts";
import { equalBytes } from "../../src/crypto/constant-time.ts";
import { deriveKey } from "../../src/crypto/key-derivation.ts";
import { cmac, hex, hkdf, sivOpen, sivSeal } from "./reference.ts";
import { wycheproofCases, type WycheproofCase } from "./wycheproof-cases.ts";

/** What an implementation made of one case: the verdict, and for a valid case whether it made the same bytes. */
interface Outcome {
  readonly accepts: boolean;
  readonly reproduces: boolean;
}

/** Every case must get the file's verdict, and there must be cases. */
function agree(cases: readonly WycheproofCase[], outcome: (one: WycheproofCase) => Outcome): void {
  expect(cases.length).to.be.greaterThan(0);
  for (const one of cases) {
    const { accepts, reproduces } = outcome(one);
    const label = `tcId ${one.tcId} ${one.comment}`;
    expect(accepts, label).to.equal(one.result === "valid");
    if (one.result === "valid") expect(reproduces, label).to.equal(true);
  }
}

const isKey =
  (...bits: number[]) =>
  (one: WycheproofCase): boolean =>
    bits.includes(one.keySize);

describe("Wycheproof", () => {
  it("AES-GCM, 256-bit key, 96-bit nonce, 128-bit tag: all 66", function () {
    const cases = wycheproofCases(this, "aes_gcm").filter(
      (one) => one.keySize === 256 && one.ivSize === 96 && one.tagSize === 128,
    );
    expect(cases.length).to.equal(66);
    agree(cases, (one) => {
      const key = { key: hex(one.key), nonce: hex(one.iv) };
      const opened = gcmOpen(key, { ciphertext: hex(one.ct), tag: hex(one.tag) }, hex(one.aad));
      const sealed = gcmSeal(key, hex(one.msg), hex(one.aad));
      return {
        accepts: opened?.equals(hex(one.msg)) === true,
        reproduces: sealed.ciphertext.equals(hex(one.ct)) && sealed.tag.equals(hex(one.tag)),
      };
    });
  });

  it("AES-SIV, 512-bit key, by suite 2's cipher: all 147", function () {
    const cases = wycheproofCases(this, "aes_siv_cmac").filter(isKey(512));
    expect(cases.length).to.equal(147);
    agree(cases, (one) => {
      const cipher = new Aes256Siv(hex(one.key));
      const opened = cipher.open(hex(one.ct), hex(one.aad));
      return {
        accepts: opened?.equals(hex(one.msg)) === true,
        reproduces: cipher.seal(hex(one.msg), hex(one.aad)).equals(hex(one.ct)),
      };
    });
  });

  it("AES-SIV, every key size, by the tests' own reference: all 442", function () {
    const cases = wycheproofCases(this, "aes_siv_cmac");
    expect(cases.length).to.equal(442);
    agree(cases, (one) => ({
      accepts: sivOpen(hex(one.key), [hex(one.aad)], hex(one.ct))?.equals(hex(one.msg)) === true,
      reproduces: sivSeal(hex(one.key), [hex(one.aad)], hex(one.msg)).equals(hex(one.ct)),
    }));
  });

  it("AES-SIV with a nonce, every key size, by the tests' own reference: all 900", function () {
    const cases = wycheproofCases(this, "aead_aes_siv_cmac");
    expect(cases.length).to.equal(900);
    agree(cases, (one) => {
      const components = [hex(one.aad), hex(one.iv)];
      const body = hex(one.tag + one.ct);
      return {
        accepts: sivOpen(hex(one.key), components, body)?.equals(hex(one.msg)) === true,
        reproduces: sivSeal(hex(one.key), components, hex(one.msg)).equals(body),
      };
    });
  });

  it("HKDF-SHA-256, by the runtime and by the tests' own reference: all 86", function () {
    const cases = wycheproofCases(this, "hkdf_sha256");
    expect(cases.length).to.equal(86);
    agree(cases, (one) => {
      const okm = hex(one.okm);
      let derived: Buffer;
      try {
        derived = Buffer.from(hkdfSync("sha256", hex(one.ikm), hex(one.salt), hex(one.info), one.size));
      } catch {
        return { accepts: false, reproduces: false };
      }
      const mine = hkdf(hex(one.ikm), hex(one.salt), hex(one.info), one.size);
      return { accepts: derived.equals(okm), reproduces: mine.equals(okm) };
    });
  });

  it("HKDF-SHA-256 with empty salt and a text for info, by the key derivation: every one that applies", function () {
    const cases = wycheproofCases(this, "hkdf_sha256").filter(
      (one) => one.salt === "" && one.result === "valid" && hex(one.info).every((byte) => byte < 0x80),
    );
    agree(cases, (one) => {
      const derived = deriveKey(hex(one.ikm), hex(one.info).toString("latin1"), one.size);
      return { accepts: derived.equals(hex(one.okm)), reproduces: true };
    });
  });

  it("AES-CMAC by the tests' own reference, on which the cross-checks of suites 1 and 2 stand: all 311", function () {
    const cases = wycheproofCases(this, "aes_cmac");
    expect(cases.length).to.equal(311);
    agree(cases, (one) => {
      const key = hex(one.key);
      if (![16, 24, 32].includes(key.length)) return { accepts: false, reproduces: false };
      const same = equalBytes(cmac(key, hex(one.msg)), hex(one.tag));
      return { accepts: same, reproduces: same };
    });
  });

  it("HMAC-SHA-256 by the runtime, whole and cut to 128 bits: all 174", function () {
    const cases = wycheproofCases(this, "hmac_sha256");
    expect(cases.length).to.equal(174);
    agree(cases, (one) => {
      const tag = createHmac("sha256", hex(one.key))
        .update(hex(one.msg))
        .digest()
        .subarray(0, one.tagSize / 8);
      const same = equalBytes(tag, hex(one.tag));
      return { accepts: same, reproduces: same };
    });
  });
});
