const begin = Buffer.from("\\u00", "latin1");
const backslash = 0x5c;
/** Of `\u0041`. */
const escapeBytes = 6;

const plain: readonly (number | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9_.-]/.test(String.fromCharCode(byte)) ? byte : undefined,
);

/**
 * Bytes in which the characters of sealed values stand for themselves, where JSON has written them as `\u002e`, with any number of
 * backslashes in JSON within JSON. All other bytes stay. Memory: a few bytes, unless there are nothing but backslashes.
 */
export class Unescaped {
  #held = Buffer.alloc(0);

  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const whole = bytes.length - undecided(bytes);
    this.#held = Buffer.from(bytes.subarray(whole));
    return unescape(bytes.subarray(0, whole));
  }

  /** What is left. */
  end(): Buffer {
    return this.#held;
  }
}

/** How many bytes at the end may yet turn out to be an escape, with the backslashes before them. */
function undecided(bytes: Buffer): number {
  const last = bytes.lastIndexOf(backslash);
  if (last < 0 || bytes.length - last >= escapeBytes) return 0;
  return bytes.length - firstOf(bytes, last);
}

/** Where the backslashes that end at `last` begin; values hold none, so that a long row of them is none's. */
function firstOf(bytes: Buffer, last: number): number {
  let first = last;
  while (first > 0 && last - first < 64 && bytes[first - 1] === backslash) first -= 1;
  return first;
}

function unescape(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(begin); at >= 0; at = bytes.indexOf(begin, at + 1)) {
    const character = plain[Number.parseInt(bytes.toString("latin1", at + 4, at + escapeBytes), 16)];
    if (character === undefined) continue;
    parts.push(bytes.subarray(from, Math.max(from, firstOf(bytes, at))), Buffer.of(character));
    from = at + escapeBytes;
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
}
