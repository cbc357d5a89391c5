import { isUtf8 } from "node:buffer";

/** Bytes of the UTF-8 sequence that `lead` begins (RFC 3629 section 4); 0 when none begins with it. */
export function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** Where `bytes[0, end)` stops being whole sequences: the start of a sequence cut short at `end`, else `end`. */
export function wholeSequencesEnd(bytes: Buffer, end: number): number {
  const earliest = Math.max(0, end - 3);
  for (let i = end - 1; i >= earliest; i -= 1) {
    const byte = bytes[i] as number;
    if (byte >= 0x80 && byte < 0xc0) continue;
    return i + sequenceLength(byte) > end ? i : end;
  }
  return end;
}

/** Offset of the first ill-formed sequence in `bytes`, which holds one. Linear; the native check does the work. */
export function firstIllFormed(bytes: Buffer): number {
  let good = 0;
  for (let step = bytes.length; step > 4; step >>= 1) {
    const end = wholeSequencesEnd(bytes, Math.min(good + step, bytes.length));
    if (end > good && isUtf8(bytes.subarray(good, end))) good = end;
  }
  for (;;) {
    const end = good + sequenceLength(bytes[good] ?? 0);
    if (end === good || end > bytes.length || !isUtf8(bytes.subarray(good, end))) return good;
    good = end;
  }
}
