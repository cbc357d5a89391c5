import { emptyBytes } from "./empty-bytes.ts";
import { keptNameBytes, nameDigest, nameMultipliers } from "./name-seed.ts";
import { unescapeName } from "./name-text.ts";
import { grown } from "./typed-growth.ts";

/** Up to this many names an object's are compared one by one; beyond, they are hashed into buckets. */
const fewNames = 16;
const firstBucketBits = 6;
/** The bucket hash is universal for this many bits and no more. */
const mostBucketBits = 17;

/** Integers that V8 keeps inside the array object: longer ones cost ten times as much to make. */
const smallStack = 16;

const digestBytes = 16;
/** A length that no kept name has: the words are a digest. */
const digestHeader = keptNameBytes + digestBytes;

/** Words of a name or digest with this header, the header among them. */
const wordsOf = (header: number): number => {
  if (header === digestHeader) return 1 + digestBytes / 4;
  return header < 4 ? 2 : 1 + ((header + 3) >> 2);
};

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const emptyView = viewOf(emptyBytes);

/** What tells most names of a few apart: their first and last bytes and their length. */
const cheapTag = (length: number, first: number, last: number): number =>
  (first ^ ((last << 7) | (last >>> 25))) + length;

/** Vector multiply-shift by pairs over a name's words, header first. Only the top 17 bits are universal. */
function bucketHash(words: Int32Array, from: number, count: number): number {
  let hash = 0;
  for (let i = 0; i < count; i += 1) {
    const word = words[from + i] as number;
    const low = (nameMultipliers[2 * i] as number) + (word & 0xffff);
    const high = (nameMultipliers[2 * i + 1] as number) + (word >>> 16);
    hash = (hash + Math.imul(low, high)) | 0;
  }
  return hash;
}

/**
 * The names of every open object, for finding duplicates by decoded name.
 *
 * A name of up to 48 bytes is kept as it is, a longer one as a keyed 128-bit digest, so memory is bounded by the number of
 * names, a duplicate is never missed and a false one would be a collision of SHA-256 under an unknown key. Only the
 * innermost object ever takes a name, so all objects share a few stacks of integers and none allocates anything.
 *
 * Buckets are chosen by vector multiply-shift under secret multipliers, which is universal: nobody without them can aim
 * names at one bucket (hash flooding).
 */
export class NameSet {
  /**
   * Per name: a header word with its length, then its bytes, 4 to a word; the last word ends with the last byte, so it may
   * repeat bytes of the one before.
   */
  #words = new Int32Array(64);
  #wordTop = 0;
  /** Per name: where its words begin, its tag (with buckets: its hash), and the next name of its bucket (+1, 0 = none). */
  #at = new Int32Array(smallStack);
  #tag = new Int32Array(smallStack);
  #next = new Int32Array(smallStack);
  #top = 0;
  /** Per bucket: its latest name (+1, 0 = none). */
  #buckets = new Int32Array(smallStack);
  #bucketTop = 0;
  /** The innermost object: its first name, its buckets' start, log2 of their count (0 = no buckets), its words' start. */
  #first = 0;
  #bucketStart = 0;
  #bits = 0;
  #wordStart = 0;
  #saved = new Int32Array(smallStack);
  #depth = 0;
  #scratch = emptyBytes;
  /** The buffer that names came from last, for reading 4 bytes at once. */
  #viewed = emptyBytes;
  #view = emptyView;

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
    const tag = end - start <= keptNameBytes ? this.#stage(bytes, start, end) : this.#stageDigest(bytes, start, end);
    return this.#bits === 0 ? this.#addToFew(tag) : this.#addToBuckets();
  }

  #stageDigest(bytes: Buffer, start: number, end: number): number {
    const tag = this.#stage(nameDigest(bytes.subarray(start, end)), 0, digestBytes);
    this.#words[this.#wordTop] = digestHeader;
    return tag;
  }

  /** Writes the name's words above the top, where they are kept or left to be overwritten; answers the tag. */
  #stage(bytes: Buffer, start: number, end: number): number {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = viewOf(bytes);
    }
    const view = this.#view;
    const words = this.#words;
    const length = end - start;
    let top = this.#wordTop;
    words[top++] = length;
    if (length < 4) {
      let word = 0;
      for (let i = start; i < end; i += 1) word = (word << 8) | (bytes[i] as number);
      words[top] = word;
      return cheapTag(length, word, word);
    }
    for (let i = start; i < end - 4; i += 4) words[top++] = view.getInt32(i);
    const last = view.getInt32(end - 4);
    words[top] = last;
    return cheapTag(length, words[this.#wordTop + 1] as number, last);
  }

  #addToFew(tag: number): boolean {
    for (let entry = this.#first; entry < this.#top; entry += 1) {
      if (this.#tag[entry] === tag && this.#equalsStaged(entry)) return false;
    }
    this.#keep(tag);
    if (this.size > fewNames) this.#makeBuckets(firstBucketBits);
    return true;
  }

  #addToBuckets(): boolean {
    const hash = bucketHash(this.#words, this.#wordTop, wordsOf(this.#words[this.#wordTop] as number));
    let link = this.#buckets[this.#bucketOf(hash)] as number;
    while (link !== 0) {
      const entry = link - 1;
      if (this.#tag[entry] === hash && this.#equalsStaged(entry)) return false;
      link = this.#next[entry] as number;
    }
    const entry = this.#top;
    this.#keep(hash);
    this.#link(entry);
    if (this.size > 1 << this.#bits && this.#bits < mostBucketBits) this.#makeBuckets(this.#bits + 2);
    return true;
  }

  #equalsStaged(entry: number): boolean {
    const words = this.#words;
    const kept = this.#at[entry] as number;
    const staged = this.#wordTop;
    const count = wordsOf(words[staged] as number);
    for (let i = 0; i < count; i += 1) {
      if (words[kept + i] !== words[staged + i]) return false;
    }
    return true;
  }

  #keep(tag: number): void {
    const entry = this.#top;
    if (entry === this.#at.length) this.#growEntries();
    this.#at[entry] = this.#wordTop;
    this.#tag[entry] = tag;
    this.#wordTop += wordsOf(this.#words[this.#wordTop] as number);
    this.#top = entry + 1;
  }

  #growEntries(): void {
    const more = this.#top + 1;
    this.#at = grown(this.#at, more);
    this.#tag = grown(this.#tag, more);
    this.#next = grown(this.#next, more);
  }

  #bucketOf(hash: number): number {
    return this.#bucketStart + (hash >>> (32 - this.#bits));
  }

  #link(entry: number): void {
    const bucket = this.#bucketOf(this.#tag[entry] as number);
    this.#next[entry] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = entry + 1;
  }

  #makeBuckets(bits: number): void {
    this.#bits = Math.min(bits, mostBucketBits);
    this.#bucketTop = this.#bucketStart + (1 << this.#bits);
    this.#buckets = grown(this.#buckets, this.#bucketTop);
    this.#buckets.fill(0, this.#bucketStart, this.#bucketTop);
    for (let entry = this.#first; entry < this.#top; entry += 1) {
      const at = this.#at[entry] as number;
      this.#tag[entry] = bucketHash(this.#words, at, wordsOf(this.#words[at] as number));
      this.#link(entry);
    }
  }
}
