import { SealwrightError } from "../base/sealwright-error.ts";

const space = 0x20;

/**
 * `text` with spaces appended up to the next multiple of `multiple` bytes; nothing where it is one already. JSON text only:
 * white space after a JSON value means nothing, so cutting it on opening needs no length field.
 */
export function padText(text: Buffer, multiple: number): Buffer {
  const length = paddedLength(text.length, multiple);
  return length === text.length ? text : Buffer.concat([text, Buffer.alloc(length - text.length, space)]);
}

/** Length of `length` bytes after padding. Throws `internal` when `multiple` is no positive integer. */
export function paddedLength(length: number, multiple: number): number {
  if (!Number.isSafeInteger(multiple) || multiple < 1) throw new SealwrightError("internal", { reason: "pad" });
  return Math.ceil(length / multiple) * multiple;
}

/** `text` without the spaces at its end. Shares memory with `text`. */
export function trimPadding(text: Buffer): Buffer {
  let end = text.length;
  while (end > 0 && text[end - 1] === space) end -= 1;
  return text.subarray(0, end);
}
