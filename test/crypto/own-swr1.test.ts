import { readFileSync } from "node:fs";
import { expect } from "chai";
import { DataKey } from "../../src/crypto/data-key.ts";
import { formatSealedValue, parseSealedValue } from "../../src/crypto/sealed-value.ts";
import type { Binding, KeyReference, SealedValue, Suite } from "../../src/crypto/types.ts";
import { codeOf } from "./code-of.ts";
import { FixedNonces } from "./fixed-nonces.ts";

interface OwnCase {
  readonly id: string;
  readonly expect: "open" | "malformed" | "open_failed";
  readonly why: string;
  readonly dek: string;
  readonly tenant: string;
  readonly dataset: string;
  readonly field: string;
  readonly record: string | null;
  readonly token: string;
  readonly suite?: Suite;
  readonly nonce?: string;
  readonly pad?: number;
  readonly kek?: string;
  readonly wrapped?: string;
  readonly text?: string;
  readonly hex?: string;
}

const file = new URL("../vectors/own-swr1/vectors.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: OwnCase[] };

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const keyOf = (one: OwnCase): DataKey =>
  DataKey.fromBytes(hex(one.dek), one.nonce === undefined ? undefined : new FixedNonces(hex(one.nonce)));
const bindingOf = (one: OwnCase): Binding => ({
  tenant: one.tenant,
  dataset: one.dataset,
  field: one.field,
  record: one.record ?? undefined,
});
const plaintextOf = (one: OwnCase): Buffer =>
  one.text === undefined ? hex(one.hex ?? "") : Buffer.from(one.text, "utf8");

function parsed(one: OwnCase): SealedValue {
  const value = parseSealedValue(one.token);
  if (value === undefined) throw new Error(`${one.id} does not parse`);
  return value;
}

function referenceOf(one: OwnCase, key: DataKey): KeyReference {
  if (one.kek === undefined || one.wrapped === undefined) return { form: "keyring", shortId: key.shortId };
  return { form: "inline", id: key.id, kek: one.kek, wrapped: hex(one.wrapped) };
}

describe("sealed values of the independent reference (own-swr1)", () => {
  const of = (kind: OwnCase["expect"]): OwnCase[] => cases.filter((one) => one.expect === kind);

  it("holds all 580 cases", () => {
    expect([of("open").length, of("malformed").length, of("open_failed").length]).to.deep.equal([64, 287, 229]);
  });

  for (const one of of("open")) {
    it(`opens ${one.id}: ${one.why}`, () => {
      const value = parsed(one);
      expect(keyOf(one).open(value, bindingOf(one)).equals(plaintextOf(one))).to.equal(true);
      expect(formatSealedValue(value)).to.equal(one.token);
    });

    it(`seals ${one.id} to the same text`, () => {
      const key = keyOf(one);
      const token = key.seal(
        {
          suite: one.suite ?? 1,
          plaintext: plaintextOf(one),
          rawBytes: one.hex !== undefined,
          binding: bindingOf(one),
          ...(one.pad === undefined ? {} : { pad: one.pad }),
        },
        referenceOf(one, key),
      );
      expect(token).to.equal(one.token);
    });
  }

  it("takes every malformed case for just text", () => {
    for (const one of of("malformed")) expect(parseSealedValue(one.token), one.id).to.equal(undefined);
  });

  it("parses every open_failed case, formats it to the same text and does not open it", () => {
    for (const one of of("open_failed")) {
      const value = parsed(one);
      expect(formatSealedValue(value), one.id).to.equal(one.token);
      expect(
        codeOf(() => keyOf(one).open(value, bindingOf(one))),
        one.id,
      ).to.equal("open_failed");
    }
  });
});
