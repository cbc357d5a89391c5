import { Aes256Siv, sivOverhead } from "./aes-siv.ts";
import type { BodyCipher } from "./body-cipher.ts";
import type { NonceSource } from "./random.ts";
import type { Suite } from "./types.ts";
import { Xaes256Gcm, xaesOverhead } from "./xaes-256-gcm.ts";

/** One suite. Everything that differs between suites stands in its row. */
export interface SuiteRow {
  readonly id: Suite;
  readonly name: string;
  /** HKDF label and length in bytes of the suite's key. */
  readonly label: string;
  readonly keyBytes: number;
  /** Bytes that a body has beyond its plaintext; no body is shorter. */
  readonly overhead: number;
  /** Deterministic: equal plaintexts of one field give equal values, so no record may be bound and JSON must be canonical. */
  readonly deterministic: boolean;
  /** `key` is not kept as it is; `nonces` is ended with the cipher, where the suite uses it. */
  readonly cipher: (key: Buffer, nonces: NonceSource) => BodyCipher;
}

/**
 * Suites by id. Ids stand in stored values: a row is never removed and its id never reused. A suite that must not seal any
 * more keeps its row to open what was sealed.
 */
export const suiteTable: Readonly<Record<Suite, SuiteRow>> = Object.freeze({
  1: Object.freeze({
    id: 1,
    name: "XAES-256-GCM",
    label: "sealwright/v1 suite 1",
    keyBytes: 32,
    overhead: xaesOverhead,
    deterministic: false,
    cipher: (key: Buffer, nonces: NonceSource) => new Xaes256Gcm(key, nonces),
  }),
  2: Object.freeze({
    id: 2,
    name: "AES-256-SIV",
    label: "sealwright/v1 suite 2",
    keyBytes: 64,
    overhead: sivOverhead,
    deterministic: true,
    cipher: (key: Buffer) => new Aes256Siv(key),
  }),
});

/** The row of an id as read from bytes; `undefined` = unknown. */
export function suiteRow(id: number): SuiteRow | undefined {
  return id === 1 || id === 2 ? suiteTable[id] : undefined;
}
