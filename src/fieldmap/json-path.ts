/**
 * The subset of RFC 9535 that field maps speak: `$`, then segments of one selector each: a name (`.ssn`, `['ssn']`,
 * `["ssn"]`), a wildcard (`.*`, `[*]`), an index from the front (`[0]`), each also as a descendant (`..ssn`, `..*`, `..[0]`).
 */

export type Selector =
  | { readonly kind: "name"; readonly name: string }
  /** Members of an object and elements of an array alike (RFC 9535 section 2.3.2). */
  | { readonly kind: "wildcard" }
  | { readonly kind: "index"; readonly index: number };

export interface Segment {
  /** The selector applies to the value itself and to everything below it (RFC 9535 section 2.5.2). */
  readonly descendant: boolean;
  readonly selector: Selector;
}

export interface JsonPath {
  /** As written. */
  readonly text: string;
  readonly segments: readonly Segment[];
}

const nameEscapes = new Map([
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["'", "\\'"],
  ["\\", "\\\\"],
]);

/** A name between the quotes of a normalised path (RFC 9535 section 2.7). */
function escapedName(name: string): string {
  return name.replaceAll(
    /[\u0000-\u001f'\\]/gu,
    (character) => nameEscapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** One selector in its normalised spelling: `['ssn']`, `[*]`, `[0]`. */
export function normalisedSelector(selector: Selector): string {
  switch (selector.kind) {
    case "name":
      return `['${escapedName(selector.name)}']`;
    case "wildcard":
      return "[*]";
    case "index":
      return `[${selector.index}]`;
  }
}

/** The one spelling of a path, which is a field's default name: `$..contacts[*].phone` is `$..['contacts'][*]['phone']`. */
export function normalisedPath(segments: readonly Segment[]): string {
  return `$${segments.map(({ descendant, selector }) => (descendant ? ".." : "") + normalisedSelector(selector)).join("")}`;
}

/** It can select at most one value: names and indexes only (RFC 9535 section 2.3.5.1 calls it a singular query). */
export function isSingular(path: JsonPath): boolean {
  return path.segments.every(({ descendant, selector }) => !descendant && selector.kind !== "wildcard");
}

/** The last name of a path, which is what a query language would call the field: `phone` for `$.phone[*]`. */
export function lastName(path: JsonPath): string | undefined {
  const segment = path.segments.findLast(({ selector }) => selector.kind === "name");
  return segment?.selector.kind === "name" ? segment.selector.name : undefined;
}
