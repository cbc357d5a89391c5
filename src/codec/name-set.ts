import { keptNameBytes, nameDigest, nameMultipliers } from "./name-seed.ts";
import { unescapeName } from "./name-text.ts";
import { grown } from "./typed-growth.ts";

/** Up to this many names an object's are compared one by one; more get buckets. */
const fewNames = 16;
const firstBucketBits = 6;
/** The bucket hash is universal for this many bits and no more. */
const mostBucketBits = 17;

const lengthKey = nameMultipliers[0] as number;

/**
 * The names of every open object, for finding duplicates by decoded name.
 *
 * A name of up to 48 bytes is kept as it is, a longer one as a keyed 128-bit digest, so memory is bounded by the number of
 * names, a duplicate is never missed and a false one would be a collision of SHA-256 under an unknown key. Only the
 * innermost object ever takes a name, so all objects share a few stacks of integers and none allocates anything.
 *
 * Buckets are chosen by vector multiply-shift (sum of secret 32-bit multipliers times 16-bit parts, top bits): universal,
 * so nobody without the multipliers can aim names at one bucket (hash flooding).
 */
export class NameSet {
  /** Per name: a header word with its length, then its bytes, 4 to a word, zero-filled. */
  #words = new Int32Array(128);
  #wordTop = 0;
  /** Per name: where its words begin, its hash, and the next name of its bucket (+1, 0 = none). */
  #at = new Int32Array(32);
  #hash = new Int32Array(32);
  #next = new Int32Array(32);
  #top = 0;
  /** Per bucket: its latest name (+1, 0 = none). */
  #buckets = new Int32Array(0);
  #bucketTop = 0;
  /** The innermost object: its first name, its buckets' start, log2 of their count (0 = no buckets), its words' start. */
  #first = 0;
  #bucketStart = 0;
  #bits = 0;
  #wordStart = 0;
  #saved = new Int32Array(32);
  #depth = 0;
  #scratch = Buffer.alloc(0);

  /** Names of the innermost object. */
  get size(): number {
    return this.#top - this.#first;
  }

  /** An object begins. */
  open(): void {
    const base = this.#depth * 4;
    this.#saved = grown(this.#saved, base + 4);
    this.#saved[base] = this.#first;
    this.#saved[base + 1] = this.#bucketStart;
    this.#saved[base + 2] = this.#bits;
    this.#saved[base + 3] = this.#wordStart;
    this.#depth += 1;
    this.#first = this.#top;
    this.#bucketStart = this.#bucketTop;
    this.#bits = 0;
    this.#wordStart = this.#wordTop;
  }

  /** The innermost object ends. */
  close(): void {
    this.#top = this.#first;
    this.#bucketTop = this.#bucketStart;
    this.#wordTop = this.#wordStart;
    this.#depth -= 1;
    const base = this.#depth * 4;
    this.#first = this.#saved[base] as number;
    this.#bucketStart = this.#saved[base + 1] as number;
    this.#bits = this.#saved[base + 2] as number;
    this.#wordStart = this.#saved[base + 3] as number;
  }

  /** Adds the name written as `bytes[start, end)` to the innermost object; false = it has that name already. */
  add(bytes: Buffer, start: number, end: number, escaped: boolean): boolean {
    if (!escaped) return this.#addDecoded(bytes, start, end);
    if (this.#scratch.length < end - start) this.#scratch = Buffer.allocUnsafeSlow(2 * (end - start));
    return this.#addDecoded(this.#scratch, 0, unescapeName(bytes, start, end, this.#scratch));
  }

  #addDecoded(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.#wordTop + 1 + keptNameBytes / 4;
    if (needed > this.#words.length) this.#words = grown(this.#words, needed);
    const length = end - start;
    const hash = length <= keptNameBytes ? this.#stage(bytes, start, end) : this.#stageDigest(bytes, start, end);
    if (this.#has(hash)) return false;
    this.#keep(hash);
    return true;
  }

  #stageDigest(bytes: Buffer, start: number, end: number): number {
    const hash = this.#stage(nameDigest(bytes.subarray(start, end)), 0, 16);
    // A length that no kept name has, so that a digest never equals a name.
    this.#words[this.#wordTop] = keptNameBytes + 16;
    return hash;
  }

  /** Writes the name's words above the top, where they are kept or left to be overwritten; answers the hash. */
  #stage(bytes: Buffer, start: number, end: number): number {
    const words = this.#words;
    let top = this.#wordTop;
    words[top++] = end - start;
    let hash = Math.imul(end - start, lengthKey);
    let key = 1;
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8);
      const high = (bytes[i + 2] as number) | ((bytes[i + 3] as number) << 8);
      hash += Math.imul(low, nameMultipliers[key] as number) + Math.imul(high, nameMultipliers[key + 1] as number);
      hash |= 0;
      words[top++] = low | (high << 16);
      key += 2;
    }
    if (i < end) {
      const low = (bytes[i] as number) | (i + 1 < end ? (bytes[i + 1] as number) << 8 : 0);
      const high = i + 2 < end ? (bytes[i + 2] as number) : 0;
      hash += Math.imul(low, nameMultipliers[key] as number) + Math.imul(high, nameMultipliers[key + 1] as number);
      words[top] = low | (high << 16);
    }
    return hash | 0;
  }

  #has(hash: number): boolean {
    if (this.#bits === 0) {
      for (let entry = this.#first; entry < this.#top; entry += 1) {
        if (this.#hash[entry] === hash && this.#equalsStaged(entry)) return true;
      }
      return false;
    }
    let link = this.#buckets[this.#bucketOf(hash)] as number;
    while (link !== 0) {
      const entry = link - 1;
      if (this.#hash[entry] === hash && this.#equalsStaged(entry)) return true;
      link = this.#next[entry] as number;
    }
    return false;
  }

  #equalsStaged(entry: number): boolean {
    const words = this.#words;
    const kept = this.#at[entry] as number;
    const staged = this.#wordTop;
    const count = this.#stagedWords();
    for (let i = 0; i < count; i += 1) {
      if (words[kept + i] !== words[staged + i]) return false;
    }
    return true;
  }

  #stagedWords(): number {
    const length = this.#words[this.#wordTop] as number;
    return length > keptNameBytes ? 5 : 1 + ((length + 3) >> 2);
  }

  #keep(hash: number): void {
    const entry = this.#top;
    if (entry === this.#at.length) this.#growEntries();
    this.#at[entry] = this.#wordTop;
    this.#hash[entry] = hash;
    this.#wordTop += this.#stagedWords();
    this.#top = entry + 1;
    if (this.#bits !== 0) this.#link(entry);
    const size = this.#top - this.#first;
    if (this.#bits === 0 ? size > fewNames : size > 1 << this.#bits && this.#bits < mostBucketBits) this.#rebuild();
  }

  #growEntries(): void {
    const more = this.#top + 1;
    this.#at = grown(this.#at, more);
    this.#hash = grown(this.#hash, more);
    this.#next = grown(this.#next, more);
  }

  #bucketOf(hash: number): number {
    return this.#bucketStart + (hash >>> (32 - this.#bits));
  }

  #link(entry: number): void {
    const bucket = this.#bucketOf(this.#hash[entry] as number);
    this.#next[entry] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = entry + 1;
  }

  #rebuild(): void {
    this.#bits = this.#bits === 0 ? firstBucketBits : this.#bits + 2;
    if (this.#bits > mostBucketBits) this.#bits = mostBucketBits;
    this.#bucketTop = this.#bucketStart + (1 << this.#bits);
    this.#buckets = grown(this.#buckets, this.#bucketTop);
    this.#buckets.fill(0, this.#bucketStart, this.#bucketTop);
    for (let entry = this.#first; entry < this.#top; entry += 1) this.#link(entry);
  }
}
