import { SealwrightError } from "../base/sealwright-error.ts";
import type { Binding, Suite } from "./types.ts";

/*
 * AAD, one string (LP(x) = u32 big-endian length, then x; text is UTF-8):
 *
 *   LP("sealwright/v1") | suite u8 | form & 0xF0 u8 | kid 32 | LP(tenant) | LP(dataset) | LP(field) | LP(record)
 *
 * Not in it: the form's low nibble, the KEK's name and the wrapped key, so that re-wrapping touches no ciphertext. No record
 * is LP("") with form bit 4 clear; a bound record is never empty, so the two cannot meet.
 */

const protocol = "sealwright/v1";

/** What the AAD binds besides the names: header fields of the envelope. */
export interface BoundHeader {
  readonly suite: Suite;
  /** The whole form byte; its low nibble is left out here. */
  readonly form: number;
  /** All 32 bytes. */
  readonly keyId: Buffer;
}

/** True when UTF-8 can hold every name of `binding`: a lone surrogate's replacement would bind two names to one AAD. */
export function isBindable(binding: Binding): boolean {
  return namesOf(binding).every((name) => name.isWellFormed());
}

/**
 * The AAD bytes. `binding.record` enters as it is; who calls sees to it that it fits form bit 4.
 * Throws `internal` when `binding` is not bindable.
 */
export function additionalData(header: BoundHeader, binding: Binding): Buffer {
  if (!isBindable(binding)) throw new SealwrightError("internal", { reason: "name with a lone surrogate" });
  const names = namesOf(binding);
  let length = 4 + protocol.length + 2 + header.keyId.length;
  for (const name of names) length += 4 + Buffer.byteLength(name, "utf8");
  const out = Buffer.allocUnsafe(length);
  let at = writeText(out, protocol, 0);
  at = out.writeUInt8(header.suite, at);
  at = out.writeUInt8(header.form & 0xf0, at);
  at += header.keyId.copy(out, at);
  for (const name of names) at = writeText(out, name, at);
  return out;
}

function namesOf({ tenant, dataset, field, record = "" }: Binding): readonly string[] {
  return [tenant, dataset, field, record];
}

function writeText(out: Buffer, text: string, at: number): number {
  const written = out.write(text, at + 4, "utf8");
  out.writeUInt32BE(written, at);
  return at + 4 + written;
}
