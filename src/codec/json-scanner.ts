import type { ErrorCode } from "../base/error-table.ts";
import type { Limits } from "../base/limits.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { ascii, whitespace } from "./ascii.ts";
import { ByteGather } from "./byte-gather.ts";
import { ContainerStack } from "./container-stack.ts";
import { emptyBytes } from "./empty-bytes.ts";
import type { JsonGuide, JsonKind } from "./json-events.ts";
import { literals, type Literal } from "./json-literal.ts";
import { numberMayEnd, numberState, numberStep } from "./json-number.ts";
import { skipPlainText, textState, textStep } from "./json-text.ts";
import { NameSet } from "./name-set.ts";

/** What the scanner does with the value that a visitor was told of. Positive numbers: walk its inside in this guide state. */
export const inside = { dead: 0, watched: -1 } as const;

/** Port: hears of values in live states. Positions count bytes of the whole body from 0. */
export interface ScanVisitor {
  /** A value begins; answers the state to walk its inside in, `inside.dead`, or `inside.watched`: `ends` follows. */
  begins(state: number, kind: JsonKind, position: number): number;
  /** The watched value ended just before `position`. */
  ends(position: number): void;
  /** A walked container's closing bracket stands at `position`. */
  leaves(state: number, kind: "object" | "array", position: number): void;
}

/** What may come next where no token is under way. */
const expect = { commaOrEnd: 0, name: 1, nameOrEnd: 2, colon: 3, value: 4, valueOrEnd: 5, nothing: 6 } as const;
/** The token that the last chunk's end cut. */
const token = { none: 0, name: 1, text: 2, number: 3, literal: 4 } as const;

const notWatching = -1;

/**
 * RFC 8259, strictly, over one body of well-formed UTF-8 in chunks cut anywhere: a state machine that keeps what it needs
 * between chunks and nothing else. Refuses names that an object holds twice, in dead parts as well, and whatever is beyond
 * `limits`. Every refusal carries its `position`; the first offence in byte order decides, however the body is cut.
 */
export class JsonScanner {
  readonly #limits: Limits;
  readonly #guide: JsonGuide;
  readonly #visitor: ScanVisitor;
  readonly #stack: ContainerStack;
  readonly #names = new NameSet();
  readonly #gather = new ByteGather();
  #bytes = emptyBytes;
  /** Offset in the body of the chunk's first byte. */
  #base = 0;
  #expect: number = expect.value;
  #token: number = token.none;
  /** Guide state of the member whose name came last. */
  #memberState: number;
  /** Depth at which the watched value stands. */
  #watchDepth = notWatching;
  #keys = 0;
  /** Offset of the opening quote of the string or name under way. */
  #quoteAt = 0;
  #textState: number = textState.plain;
  #escaped = false;
  #numberState: number = numberState.start;
  #literal: Literal = literals.null;
  #literalLength = 0;
  #failedAt = 0;
  #position = 0;

  constructor(limits: Limits, guide: JsonGuide, visitor: ScanVisitor) {
    this.#limits = limits;
    this.#guide = guide;
    this.#visitor = visitor;
    this.#stack = new ContainerStack(guide.root);
    this.#memberState = guide.root;
  }

  /** Offset of the byte at which the scanner's own refusal was certain; its `position` may be the start of what it stands in. */
  get failedAt(): number {
    return this.#failedAt;
  }

  /** Offset of the live name or value that guide and visitor were last told of. */
  get position(): number {
    return this.#position;
  }

  /** Scans the next bytes, of which the first is the body's byte number `base`. */
  scan(bytes: Buffer, base: number): void {
    this.#bytes = bytes;
    this.#base = base;
    const end = bytes.length;
    let i = this.#token === token.none ? 0 : this.#resume();
    while (i < end) {
      const byte = bytes[i] as number;
      if (byte <= 0x20 && whitespace[byte] === 1) {
        do i += 1;
        while (i < end && bytes[i] === 0x20);
        continue;
      }
      switch (this.#expect) {
        case expect.commaOrEnd:
          if (byte !== ascii.comma) i = this.#close(byte, i);
          else {
            i += 1;
            if (!this.#stack.inObject) this.#expect = expect.value;
            else if (i < end && bytes[i] === ascii.quote) i = this.#beginName(ascii.quote, i);
            else this.#expect = expect.name;
          }
          break;
        case expect.nameOrEnd:
          i = byte === ascii.rightBrace ? this.#close(byte, i) : this.#beginName(byte, i);
          break;
        case expect.name:
          i = this.#beginName(byte, i);
          break;
        case expect.colon:
          if (byte !== ascii.colon) throw this.#invalid(i);
          this.#expect = expect.value;
          i += 1;
          break;
        case expect.valueOrEnd:
          i = byte === ascii.rightBracket ? this.#close(byte, i) : this.#beginValue(byte, i);
          break;
        case expect.value:
          i = this.#beginValue(byte, i);
          break;
        default:
          throw this.#invalid(i);
      }
    }
  }

  /** The body is complete after `length` bytes. Throws `json_invalid` when the document is not. */
  end(length: number): void {
    this.#bytes = emptyBytes;
    this.#base = length;
    if (this.#token === token.number && numberMayEnd[this.#numberState] === 1) this.#endValue(0);
    if (this.#token !== token.none || this.#expect !== expect.nothing) throw this.#invalid(0);
  }

  #resume(): number {
    switch (this.#token) {
      case token.name:
        return this.#continueName(0);
      case token.text:
        return this.#continueText(0);
      case token.number:
        return this.#continueNumber(0);
      default:
        return this.#continueLiteral(0);
    }
  }

  #beginValue(byte: number, i: number): number {
    switch (byte) {
      case ascii.quote:
        this.#announce("string", i);
        this.#quoteAt = this.#base + i;
        return this.#continueText(i + 1);
      case ascii.leftBrace:
        this.#open("object", i);
        return i + 1;
      case ascii.leftBracket:
        this.#open("array", i);
        return i + 1;
      case ascii.t:
        return this.#beginLiteral(literals.true, i);
      case ascii.f:
        return this.#beginLiteral(literals.false, i);
      case ascii.n:
        return this.#beginLiteral(literals.null, i);
      default:
        if (numberStep[byte] === 0) throw this.#invalid(i);
        this.#announce("number", i);
        this.#numberState = numberState.start;
        return this.#continueNumber(i);
    }
  }

  /** Tells guide and visitor of a value, where they care; answers the state to walk its inside in. */
  #announce(kind: JsonKind, i: number): number {
    const stack = this.#stack;
    if (stack.state === 0) return 0;
    const state = stack.inObject ? this.#memberState : this.#guide.element(stack.state, stack.index++);
    if (state === 0) return 0;
    this.#position = this.#base + i;
    const answer = this.#visitor.begins(state, kind, this.#position);
    if (answer !== inside.watched) return answer;
    this.#watchDepth = stack.depth;
    return 0;
  }

  #endValue(i: number): void {
    this.#token = token.none;
    this.#expect = this.#stack.depth === 0 ? expect.nothing : expect.commaOrEnd;
    if (this.#watchDepth === this.#stack.depth) {
      this.#watchDepth = notWatching;
      this.#visitor.ends(this.#base + i);
    }
  }

  #open(kind: "object" | "array", i: number): void {
    if (this.#stack.depth >= this.#limits.depth) throw this.#refusal("json_too_deep", this.#base + i, i);
    const state = this.#announce(kind, i);
    const isObject = kind === "object";
    this.#stack.push(isObject, state);
    if (isObject) this.#names.open();
    this.#expect = isObject ? expect.nameOrEnd : expect.valueOrEnd;
  }

  #close(byte: number, i: number): number {
    const stack = this.#stack;
    if (byte !== (stack.inObject ? ascii.rightBrace : ascii.rightBracket)) throw this.#invalid(i);
    const kind = stack.inObject ? "object" : "array";
    const state = stack.state;
    if (stack.inObject) this.#names.close();
    stack.pop();
    if (state !== 0) {
      this.#position = this.#base + i;
      this.#visitor.leaves(state, kind, this.#position);
    }
    this.#endValue(i + 1);
    return i + 1;
  }

  #beginName(byte: number, i: number): number {
    if (byte !== ascii.quote) throw this.#invalid(i);
    this.#quoteAt = this.#base + i;
    this.#escaped = false;
    return this.#continueName(i + 1);
  }

  #continueName(from: number): number {
    const bytes = this.#bytes;
    const end = this.#scanText(from, this.#limits.nameBytes, "name_too_long");
    if (end === bytes.length) {
      this.#token = token.name;
      this.#gather.append(bytes, from, end);
      return end;
    }
    if (this.#token === token.none) this.#endName(bytes, from, end);
    else {
      this.#gather.append(bytes, 0, end);
      const name = this.#gather.borrow();
      this.#token = token.none;
      this.#endName(name, 0, name.length);
    }
    // Mostly the colon stands right behind: one turn of the main loop saved per name.
    if (bytes[end + 1] !== ascii.colon) return end + 1;
    this.#expect = expect.value;
    return end + 2;
  }

  #endName(name: Buffer, start: number, end: number): void {
    const { keysPerBody, keysPerObject } = this.#limits;
    this.#keys += 1;
    if (this.#keys > keysPerBody || this.#names.size >= keysPerObject)
      throw this.#nameRefusal("too_many_keys", end - start);
    if (!this.#names.add(name, start, end, this.#escaped)) throw this.#nameRefusal("duplicate_key", end - start);
    const state = this.#stack.state;
    if (state !== 0) {
      this.#position = this.#quoteAt;
      this.#memberState = this.#guide.member(state, name, start, end, this.#escaped);
    }
    this.#expect = expect.colon;
  }

  #continueText(from: number): number {
    const end = this.#scanText(from, this.#limits.stringBytes, "value_too_large");
    if (end === this.#bytes.length) {
      this.#token = token.text;
      return end;
    }
    this.#endValue(end + 1);
    return end + 1;
  }

  /** Scans between quotes; answers the closing quote's index, or the chunk's length when the chunk ends first. */
  #scanText(from: number, limit: number, tooLong: ErrorCode): number {
    const bytes = this.#bytes;
    let i = from;
    let wrong = false;
    if (this.#textState === textState.plain) i = skipPlainText(bytes, i);
    if (i < bytes.length && !(this.#textState === textState.plain && bytes[i] === ascii.quote)) {
      i = this.#scanEscapes(i);
      wrong = this.#textState === textState.wrong;
    }
    // Asked before `wrong`: where both hold, the limit was crossed at an earlier byte.
    const firstOver = this.#quoteAt + 1 + limit;
    if (this.#base + i > firstOver) throw this.#refusal(tooLong, this.#quoteAt, firstOver - this.#base);
    if (wrong) throw this.#invalid(i);
    return i;
  }

  /** The same from an escape on, or from a control character. Leaves `#textState` at `wrong` where `i` cannot be. */
  #scanEscapes(from: number): number {
    const bytes = this.#bytes;
    const end = bytes.length;
    let state = this.#textState;
    let i = from;
    while (i < end) {
      const byte = bytes[i] as number;
      if (state === textState.plain && byte === ascii.quote) break;
      state = textStep(state, byte);
      if (state === textState.wrong) break;
      i += 1;
      if (state === textState.plain) i = skipPlainText(bytes, i);
    }
    this.#escaped = true;
    this.#textState = state;
    return i;
  }

  #continueNumber(from: number): number {
    const bytes = this.#bytes;
    const end = bytes.length;
    let state = this.#numberState;
    let i = from;
    for (; i < end; i += 1) {
      const next = numberStep[(state << 8) | (bytes[i] as number)] as number;
      if (next === 0) break;
      state = next;
    }
    this.#numberState = state;
    if (i === end) {
      this.#token = token.number;
      return i;
    }
    if (numberMayEnd[state] === 0) throw this.#invalid(i);
    this.#endValue(i);
    return i;
  }

  #beginLiteral(literal: Literal, i: number): number {
    this.#announce(literal.kind, i);
    this.#literal = literal;
    this.#literalLength = 0;
    return this.#continueLiteral(i);
  }

  #continueLiteral(from: number): number {
    const spelling = this.#literal.spelling;
    const end = Math.min(this.#bytes.length, from + spelling.length - this.#literalLength);
    for (let i = from; i < end; i += 1) {
      if (this.#bytes[i] !== spelling[this.#literalLength]) throw this.#invalid(i);
      this.#literalLength += 1;
    }
    if (this.#literalLength < spelling.length) this.#token = token.literal;
    else this.#endValue(end);
    return end;
  }

  #invalid(i: number): SealwrightError {
    return this.#refusal("json_invalid", this.#base + i, i);
  }

  #nameRefusal(code: ErrorCode, length: number): SealwrightError {
    return this.#refusal(code, this.#quoteAt, this.#quoteAt + 1 + length - this.#base);
  }

  #refusal(code: ErrorCode, position: number, i: number): SealwrightError {
    this.#failedAt = this.#base + i;
    return new SealwrightError(code, { position });
  }
}
