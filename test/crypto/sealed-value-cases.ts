import { readFileSync } from "node:fs";
import { DataKey } from "../../src/crypto/data-key.ts";
import type { Binding, KeyReference, SealedValue, Suite } from "../../src/crypto/types.ts";
import { parseSealedValue } from "../../src/crypto/sealed-value.ts";
import { FixedNonces } from "./fixed-nonces.ts";

/**
 * One case of the sealed-value vector files: a token and the key and names to open it with. Bytes in hex, but `text` (the
 * plaintext as JSON text). `open` = opens to `text` or `hex`, and where `suite` stands, sealing gives the same token;
 * `malformed` = just text; `open_failed` = parses and must not open.
 */
export interface SealedValueCase {
  readonly id: string;
  /** Named class of the case; only in the project's own golden file. */
  readonly class?: string;
  readonly expect: "open" | "malformed" | "open_failed";
  readonly why: string;
  readonly dek: string;
  readonly tenant: string;
  readonly dataset: string;
  readonly field: string;
  /** null = no record known. */
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

/** The cases of a file in test/vectors. Fails when there are none. */
export function sealedValueCases(name: string): readonly SealedValueCase[] {
  const file = readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8");
  const { cases } = JSON.parse(file) as { cases: SealedValueCase[] };
  if (cases.length === 0) throw new Error(`${name} holds no cases`);
  return cases;
}

/** The case's data key; it seals with the case's nonce. */
export function keyOf(one: SealedValueCase): DataKey {
  const nonces = one.nonce === undefined ? undefined : new FixedNonces(Buffer.from(one.nonce, "hex"));
  return DataKey.fromBytes(Buffer.from(one.dek, "hex"), nonces);
}

export const bindingOf = ({ tenant, dataset, field, record }: SealedValueCase): Binding => ({
  tenant,
  dataset,
  field,
  record: record ?? undefined,
});

export const plaintextOf = ({ text, hex = "" }: SealedValueCase): Buffer =>
  text === undefined ? Buffer.from(hex, "hex") : Buffer.from(text, "utf8");

/** The case's sealed value. Fails when its token is none. */
export function parsed(one: SealedValueCase): SealedValue {
  const value = parseSealedValue(one.token);
  if (value === undefined) throw new Error(`${one.id} does not parse`);
  return value;
}

/** What sealing the case's plaintext under its key gives. */
export function sealAgain(one: SealedValueCase): string {
  const key = keyOf(one);
  const reference: KeyReference =
    one.kek === undefined || one.wrapped === undefined
      ? { form: "keyring", shortId: key.shortId }
      : { form: "inline", id: key.id, kek: one.kek, wrapped: Buffer.from(one.wrapped, "hex") };
  const token = key.seal(
    {
      suite: one.suite ?? 1,
      plaintext: plaintextOf(one),
      rawBytes: one.hex !== undefined,
      binding: bindingOf(one),
      ...(one.pad === undefined ? {} : { pad: one.pad }),
    },
    reference,
  );
  key.release();
  return token;
}
