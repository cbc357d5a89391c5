import { fromBase64url, toBase64url } from "../base/bytes.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { keyIdBytes, shortIdBytes } from "./key-derivation.ts";
import { paddedLength } from "./padding.ts";
import { suiteRow, suiteTable } from "./suites.ts";
import type { KeyReference, SealedValue, Suite } from "./types.ts";

/*
 * Sealed value, version 1. Integers are big-endian.
 *
 *   text      = "swr1." base64url(envelope)       no padding, canonical alphabet only, trailing bits zero
 *   envelope  = suite u8 | form u8 | key | body
 *   suite     1 XAES-256-GCM (randomised), 2 AES-256-SIV (deterministic)
 *   form      low nibble: 0 keyring, 1 inline
 *             bit 4: bound to a record (not with suite 2)
 *             bit 5: the plaintext is raw bytes, else JSON text
 *             any other bit set: not a sealed value
 *   key       keyring: kid[0..16]
 *             inline:  kid 32 | n u8 | KEK name (n bytes, n = 1-63, of a-z 0-9 -) | m u16 | wrapped DEK (m bytes, m >= 1)
 *   body      suite 1: nonce 24 | ciphertext | tag 16
 *             suite 2: synthetic IV 16 | ciphertext
 *
 * There is one text for every envelope and one envelope for every SealedValue, so what parses formats to the same text.
 * Nothing here is authenticated yet: data-key.ts opens a body under the AAD of binding.ts.
 */

/** Versions of the format that are opened, the oldest first. None ever leaves the list, and no other is anybody's. */
export const sealedVersions = ["swr1"] as const;

export type SealedVersion = (typeof sealedVersions)[number];

/** What every sealed value starts with. */
export const sealedPrefix = "swr1.";

const formKeyring = 0x00;
const formInline = 0x01;
const formRecordBound = 0x10;
const formRawBytes = 0x20;
const formFlags = formRecordBound | formRawBytes;

const kekName = /^[a-z0-9-]{1,63}$/;
const wrappedMaxBytes = 0xffff;

/** The sealed value that `text` is; `undefined` = it is not one, just text. Its buffers share memory: copy what is kept long. */
export function parseSealedValue(text: string): SealedValue | undefined {
  if (!text.startsWith(sealedPrefix)) return undefined;
  const envelope = fromBase64url(text.slice(sealedPrefix.length));
  if (envelope === undefined || envelope.length < 2) return undefined;
  const suite = suiteRow(envelope.readUInt8(0));
  const form = envelope.readUInt8(1);
  const recordBound = (form & formRecordBound) !== 0;
  if (suite === undefined || (recordBound && suite.deterministic)) return undefined;
  const parsed = parseKey(form & ~formFlags, envelope.subarray(2));
  if (parsed === undefined || parsed.rest.length < suite.overhead) return undefined;
  return {
    suite: suite.id,
    recordBound,
    rawBytes: (form & formRawBytes) !== 0,
    key: parsed.key,
    body: parsed.rest,
  };
}

/**
 * The text of `value`; `parseSealedValue` gives the same value back.
 * Throws `internal` for a value that could not be read back.
 */
export function formatSealedValue(value: SealedValue): string {
  const suite = suiteTable[value.suite];
  if (value.body.length < suite.overhead) throw unformattable("body");
  if (value.recordBound && suite.deterministic) throw unformattable("record under a deterministic suite");
  const head = Buffer.from([value.suite, formByte(value)]);
  return sealedPrefix + toBase64url(Buffer.concat([head, formatKey(value.key), value.body]));
}

/** The form byte of a value with these properties. */
export function formByte(value: Pick<SealedValue, "recordBound" | "rawBytes" | "key">): number {
  return (
    (value.key.form === "keyring" ? formKeyring : formInline) |
    (value.recordBound ? formRecordBound : 0) |
    (value.rawBytes ? formRawBytes : 0)
  );
}

/** What a sealed value's length depends on besides its plaintext's. */
export interface SealedShape {
  readonly suite: Suite;
  /** Lengths of the KEK's name and of the wrapped key in bytes; absent = keyring form. */
  readonly inline?: { readonly kekBytes: number; readonly wrappedBytes: number };
  readonly pad?: number;
}

/** Length in characters of the sealed value of `plaintextBytes` bytes (a JSON string counts its quotes). */
export function sealedTextLength(plaintextBytes: number, shape: SealedShape): number {
  const { inline, pad = 1 } = shape;
  const keyBytes = inline === undefined ? shortIdBytes : keyIdBytes + 1 + inline.kekBytes + 2 + inline.wrappedBytes;
  const envelopeBytes = 2 + keyBytes + suiteTable[shape.suite].overhead + paddedLength(plaintextBytes, pad);
  return sealedPrefix.length + Math.ceil((envelopeBytes * 4) / 3);
}

interface ParsedKey {
  readonly key: KeyReference;
  readonly rest: Buffer;
}

function parseKey(keyForm: number, bytes: Buffer): ParsedKey | undefined {
  if (keyForm === formKeyring) {
    if (bytes.length < shortIdBytes) return undefined;
    return {
      key: { form: "keyring", shortId: bytes.subarray(0, shortIdBytes) },
      rest: bytes.subarray(shortIdBytes),
    };
  }
  return keyForm === formInline ? parseInlineKey(bytes) : undefined;
}

function parseInlineKey(bytes: Buffer): ParsedKey | undefined {
  const nameLength = bytes[keyIdBytes];
  if (nameLength === undefined) return undefined;
  const nameAt = keyIdBytes + 1;
  const nameEnd = nameAt + nameLength;
  const wrappedAt = nameEnd + 2;
  if (bytes.length < wrappedAt) return undefined;
  const wrappedEnd = wrappedAt + bytes.readUInt16BE(nameEnd);
  const kek = bytes.toString("latin1", nameAt, nameEnd);
  if (!kekName.test(kek) || wrappedEnd === wrappedAt || bytes.length < wrappedEnd) return undefined;
  return {
    key: {
      form: "inline",
      id: bytes.subarray(0, keyIdBytes),
      kek,
      wrapped: bytes.subarray(wrappedAt, wrappedEnd),
    },
    rest: bytes.subarray(wrappedEnd),
  };
}

function formatKey(key: KeyReference): Buffer {
  if (key.form === "keyring") {
    if (key.shortId.length !== shortIdBytes) throw unformattable("short key id");
    return key.shortId;
  }
  if (key.id.length !== keyIdBytes) throw unformattable("key id");
  if (!kekName.test(key.kek)) throw unformattable("KEK name");
  if (key.wrapped.length < 1 || key.wrapped.length > wrappedMaxBytes) throw unformattable("wrapped key");
  const size = Buffer.allocUnsafe(2);
  size.writeUInt16BE(key.wrapped.length);
  return Buffer.concat([key.id, Buffer.from([key.kek.length]), Buffer.from(key.kek, "latin1"), size, key.wrapped]);
}

function unformattable(reason: string): SealwrightError {
  return new SealwrightError("internal", { reason: `no sealed value: ${reason}` });
}
