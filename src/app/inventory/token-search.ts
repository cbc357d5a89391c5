import { parseSealedValue, sealedPrefix } from "../../crypto/sealed-value.ts";
import type { KeyReference } from "../../crypto/types.ts";
import { Unescaped } from "./unescaped.ts";

const prefix = Buffer.from(sealedPrefix, "latin1");
const quote = 0x22;
/** Characters of a value that are kept: more than the longest key part has. A multiple of 4. */
const longestHead = 96 * 1024;

const isAlphabet: readonly boolean[] = Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9_-]/.test(String.fromCharCode(byte)),
);

/** A value under way: what follows the prefix. */
interface Run {
  readonly head: Buffer[];
  headLength: number;
  length: number;
  last: number;
  /** A quote stands before it: where it ends at another one it is a JSON string of its own. */
  readonly quoted: boolean;
}

/**
 * Finds sealed values in a stream of any bytes: JSON, however it is escaped, SQL, a database's own files. A JSON string counts only where all of it is a
 * sealed value in its one spelling. Elsewhere bytes that belong to the file's format may touch its end, so there what names a
 * key counts. Memory: one value's key part, whatever the size of file and values.
 */
export class TokenSearch {
  readonly #found: (key: KeyReference) => void;
  readonly #unescaped = new Unescaped();
  /** The last bytes before the present chunk: a prefix may be cut, and a quote may stand before it. */
  #tail = Buffer.alloc(0);
  #run: Run | undefined;

  /** `found`: called for every value; the reference's buffers are its to keep only if copied. */
  constructor(found: (key: KeyReference) => void) {
    this.#found = found;
  }

  push(chunk: Buffer): void {
    this.#search(this.#unescaped.push(chunk));
  }

  end(): void {
    this.#search(this.#unescaped.end());
    if (this.#run !== undefined) this.#finish(this.#run, undefined);
  }

  #search(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    let from = 0;
    for (;;) {
      if (this.#run !== undefined) {
        const end = this.#grow(this.#run, bytes, from);
        if (end === bytes.length) break;
        this.#finish(this.#run, bytes[end]);
        from = end;
      }
      const at = bytes.indexOf(prefix, from);
      if (at < 0) break;
      this.#run = { head: [], headLength: 0, length: 0, last: 0, quoted: at > 0 && bytes[at - 1] === quote };
      from = at + prefix.length;
    }
    this.#tail = this.#run === undefined ? Buffer.from(bytes.subarray(-prefix.length)) : Buffer.alloc(0);
  }

  /** Takes what belongs to the value; answers where it ends, or the chunk does. */
  #grow(run: Run, bytes: Buffer, from: number): number {
    let end = from;
    while (end < bytes.length && isAlphabet[bytes[end] ?? 0] === true) end += 1;
    if (end === from) return end;
    const kept = bytes.subarray(from, Math.min(end, from + longestHead - run.headLength));
    if (kept.length > 0) run.head.push(Buffer.from(kept));
    run.headLength += kept.length;
    run.length += end - from;
    run.last = bytes[end - 1] ?? 0;
    return end;
  }

  #finish(run: Run, next: number | undefined): void {
    this.#run = undefined;
    const text = Buffer.concat(run.head).toString("latin1");
    const whole = run.length === run.headLength ? text : shortened(text, run);
    const value =
      parseSealedValue(sealedPrefix + whole) ??
      (run.quoted && next === quote ? undefined : parseSealedValue(sealedPrefix + cut(text)));
    if (value !== undefined) this.#found(value.key);
  }
}

/** A value of the same spelling at its end and of the same key, without its middle: canonical exactly if the whole one is. */
function shortened(head: string, { length, last }: Run): string {
  const rest = length % 4;
  if (rest === 0) return head;
  return `${head}${"A".repeat(rest - 1)}${String.fromCharCode(last)}`;
}

/** Whole groups of 4 characters, at least one character less: what a value without its end says of its key. */
function cut(text: string): string {
  return text.slice(0, Math.floor((text.length - 1) / 4) * 4);
}
