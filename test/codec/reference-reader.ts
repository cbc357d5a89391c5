/**
 * An independent, simple reader of JSON that is known to be valid: recursive, over the bytes as latin1 text, so that offsets
 * are byte offsets. Tests hold the scanner against it.
 */
export interface ReadValue {
  readonly kind: "object" | "array" | "string" | "number" | "true" | "false" | "null";
  /** Byte offsets of the source text: [start, end). */
  readonly start: number;
  readonly end: number;
  readonly children: readonly ReadValue[];
  /** Decoded names, for objects. */
  readonly names: readonly string[];
}

const space = /[ \t\n\r]*/y;
const scalar = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/sy;

export function readJson(body: Buffer): ReadValue {
  return new Reader(body.toString("latin1")).value();
}

/** Every value of `root`, itself first, in document order. */
export function* allValues(root: ReadValue): Generator<ReadValue> {
  yield root;
  for (const child of root.children) yield* allValues(child);
}

/** True when some object holds a name twice. */
export function hasDuplicateName(root: ReadValue): boolean {
  return [...allValues(root)].some(({ names }) => new Set(names).size < names.length);
}

/** Containers around the innermost value; 0 for a scalar. */
export function depthOf(root: ReadValue): number {
  const below = root.children.map(depthOf);
  const container = root.kind === "object" || root.kind === "array" ? 1 : 0;
  return container + Math.max(0, ...below);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): ReadValue {
    this.#match(space);
    const start = this.#at;
    const first = this.#text[start];
    const children: ReadValue[] = [];
    const names: string[] = [];
    if (first === "{" || first === "[") {
      this.#at += 1;
      this.#match(space);
      while (this.#text[this.#at] !== "}" && this.#text[this.#at] !== "]") {
        if (first === "{") names.push(this.#name());
        children.push(this.value());
        this.#match(space);
        if (this.#text[this.#at] === ",") this.#at += 1;
        this.#match(space);
      }
      this.#at += 1;
      return { kind: first === "{" ? "object" : "array", start, end: this.#at, children, names };
    }
    const source = this.#match(scalar);
    const kind =
      first === '"' ? "string" : source === "true" || source === "false" || source === "null" ? source : "number";
    return { kind, start, end: this.#at, children, names };
  }

  #name(): string {
    this.#match(space);
    const source = Buffer.from(this.#match(scalar), "latin1").toString("utf8");
    this.#match(space);
    this.#at += 1;
    return JSON.parse(source) as string;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }
}
