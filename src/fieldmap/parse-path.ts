import { SealwrightError } from "../base/sealwright-error.ts";
import type { JsonPath, Segment, Selector } from "./json-path.ts";
import { brokenMap, type BrokenMapRule } from "./map-rules.ts";

/** A path, or why it is none: the rule and the character (from 0) where it breaks. */
export type ParsedPath =
  | { readonly kind: "path"; readonly path: JsonPath }
  | { readonly kind: "broken"; readonly character: number; readonly broken: BrokenMapRule };

const mostSegments = 64;
const mostCharacters = 4096;

/** Reads a path of the documented subset of RFC 9535. Never throws. */
export function parsePath(text: string): ParsedPath {
  const reader = new PathReader(text);
  try {
    return { kind: "path", path: { text, segments: reader.read() } };
  } catch (error) {
    if (error instanceof PathBreak) return { kind: "broken", character: error.character, broken: error.broken };
    throw error;
  }
}

/** Leaves the reader from any depth; never leaves this file. */
class PathBreak extends SealwrightError {
  readonly character: number;
  readonly broken: BrokenMapRule;

  constructor(character: number, broken: BrokenMapRule) {
    super("config_invalid");
    this.character = character;
    this.broken = broken;
  }
}

const nameFirst = /[A-Za-z_\u0080-\ud7ff\ue000-\u{10ffff}]/u;
const nameRest = /[A-Za-z0-9_\u0080-\ud7ff\ue000-\u{10ffff}]/u;
const blank = /[ \t\n\r]/u;
const index = /0(?![0-9])|[1-9][0-9]*/y;

const simpleEscapes = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["/", "/"],
  ["\\", "\\"],
]);

class PathReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Segment[] {
    if (this.#text.length > mostCharacters) throw this.#unsupported(`paths longer than ${mostCharacters} characters`);
    if (!this.#take("$")) throw this.#syntax("A path begins with $.");
    const segments: Segment[] = [];
    while (this.#at < this.#text.length) {
      const before = this.#at;
      this.#blanks();
      if (this.#at === this.#text.length) {
        this.#at = before;
        throw this.#syntax("Blanks at the end are not part of a path.");
      }
      if (segments.length === mostSegments) throw this.#unsupported(`more than ${mostSegments} segments`);
      segments.push(this.#segment());
    }
    return segments;
  }

  #segment(): Segment {
    if (this.#take("..")) {
      if (this.#take("[")) return { descendant: true, selector: this.#bracketed() };
      return { descendant: true, selector: this.#shorthand() };
    }
    if (this.#take(".")) return { descendant: false, selector: this.#shorthand() };
    if (this.#take("[")) return { descendant: false, selector: this.#bracketed() };
    throw this.#syntax("A segment begins with a dot or a bracket.");
  }

  #shorthand(): Selector {
    if (this.#take("*")) return { kind: "wildcard" };
    const start = this.#at;
    if (!nameFirst.test(this.#character())) {
      throw this.#syntax("After a dot comes * or a name; a name with other characters goes in ['...'].");
    }
    while (nameRest.test(this.#character())) this.#at += this.#character().length;
    return { kind: "name", name: this.#text.slice(start, this.#at) };
  }

  #bracketed(): Selector {
    this.#blanks();
    const selector = this.#selector();
    this.#blanks();
    if (this.#take("]")) return selector;
    if (this.#character() === ",") throw this.#unsupported("several selectors in one bracket");
    if (this.#character() === ":") throw this.#unsupported("slices");
    throw this.#syntax("A bracket holds one selector and ends with ].");
  }

  #selector(): Selector {
    const character = this.#character();
    if (this.#take("*")) return { kind: "wildcard" };
    if (character === "'" || character === '"') return { kind: "name", name: this.#quoted(character) };
    if (character === "?") throw this.#unsupported("filters");
    if (character === ":") throw this.#unsupported("slices");
    if (character === "-") throw this.#unsupported("indexes from the end");
    index.lastIndex = this.#at;
    const digits = index.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#syntax("A bracket holds a quoted name, * or an index.");
    if (!Number.isSafeInteger(Number(digits))) throw this.#syntax("The index is too large.");
    this.#at += digits.length;
    return { kind: "index", index: Number(digits) };
  }

  #quoted(quote: string): string {
    this.#at += 1;
    let name = "";
    for (;;) {
      const character = this.#character();
      if (character === "") throw this.#syntax("The quoted name has no end.");
      if (character < " ") throw this.#syntax("A control character in a name is written as an escape.");
      if (/^[\ud800-\udfff]$/u.test(character)) throw this.#syntax("A lone surrogate is no text.");
      if (character === "\\") {
        name += this.#escape(quote);
        continue;
      }
      this.#at += character.length;
      if (character === quote) return name;
      name += character;
    }
  }

  #escape(quote: string): string {
    const escaped = this.#text[this.#at + 1] ?? "";
    if (escaped === "u") return this.#unicodeEscape();
    const plain = escaped === quote ? quote : simpleEscapes.get(escaped);
    if (plain === undefined) throw this.#syntax("This escape is unknown.");
    this.#at += 2;
    return plain;
  }

  #unicodeEscape(): string {
    const unit = /\\u([0-9A-Fa-f]{4})(?:\\u([0-9A-Fa-f]{4}))?/y;
    unit.lastIndex = this.#at;
    const [, first, second] = unit.exec(this.#text) ?? [];
    if (first === undefined) throw this.#syntax("An escape \\u needs four hexadecimal digits.");
    const high = Number.parseInt(first, 16);
    if (high < 0xd800 || high > 0xdfff) {
      this.#at += 6;
      return String.fromCharCode(high);
    }
    const low = Number.parseInt(second ?? "0", 16);
    if (high > 0xdbff || low < 0xdc00 || low > 0xdfff) throw this.#syntax("A lone surrogate is no text.");
    this.#at += 12;
    return String.fromCharCode(high, low);
  }

  /** The code point here, or "" at the end. */
  #character(): string {
    const point = this.#text.codePointAt(this.#at);
    return point === undefined ? "" : String.fromCodePoint(point);
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #blanks(): void {
    while (blank.test(this.#character())) this.#at += 1;
  }

  #syntax(fix: string): PathBreak {
    return new PathBreak(this.#at, brokenMap("path-syntax", "The path is no JSONPath.", fix));
  }

  #unsupported(what: string): PathBreak {
    const fix = "Use names, wildcards, indexes from the front and descendants.";
    return new PathBreak(
      this.#at,
      brokenMap("path-unsupported", `The path uses ${what}, which field maps do not have.`, fix),
    );
  }
}
