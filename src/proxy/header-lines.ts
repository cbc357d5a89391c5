import type { HeaderList } from "./http-port.ts";

/** Header lines with their names in lower case beside the spelling that came, so that each name is folded once. */
export class HeaderLines {
  readonly names: readonly string[];
  readonly raw: HeaderList;

  constructor(raw: HeaderList) {
    const names = new Array<string>(raw.length >> 1);
    for (let i = 0; i < names.length; i++) names[i] = (raw[2 * i] ?? "").toLowerCase();
    this.names = names;
    this.raw = raw;
  }

  get count(): number {
    return this.names.length;
  }

  name(index: number): string {
    return this.names[index] ?? "";
  }

  value(index: number): string {
    return this.raw[2 * index + 1] ?? "";
  }

  /** The first value of `name` (lower case), or `undefined`. */
  first(name: string): string | undefined {
    const index = this.names.indexOf(name);
    return index < 0 ? undefined : this.value(index);
  }

  /** Every value of `name` (lower case), in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = this.names.indexOf(name); i >= 0; i = this.names.indexOf(name, i + 1)) values.push(this.value(i));
    return values;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/**
 * `text` without the space and tabs around it (OWS, RFC 9110 section 5.6.3). Nothing else is cut: what a wider trim takes for
 * space, such as U+00A0, is part of the value to other readers.
 */
export function withoutSpace(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (start < end && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The members of a comma-separated list over all its lines (RFC 9110 section 5.6.1), lower case, empty ones left out. */
export function listMembers(values: readonly string[]): string[] {
  const members: string[] = [];
  for (const value of values) {
    for (const part of value.split(",")) {
      const member = withoutSpace(part).toLowerCase();
      if (member !== "") members.push(member);
    }
  }
  return members;
}
