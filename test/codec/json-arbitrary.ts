import fc from "fast-check";

/** Source texts of JSON, with odd spacing, odd spellings and names spelt in more than one way. */

const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });

const hex = (unit: number, upper: boolean): string => {
  const digits = unit.toString(16).padStart(4, "0");
  return `\\u${upper ? digits.toUpperCase() : digits}`;
};

const escapedUnit = (max: number): fc.Arbitrary<string> =>
  fc.tuple(fc.integer({ min: 0, max }), fc.boolean()).map(([unit, upper]) => hex(unit, upper));

const plainCharacter = fc
  .string({ unit: "binary", minLength: 1, maxLength: 1 })
  .filter((c) => c >= " " && c !== '"' && c !== "\\");

const pair = fc
  .tuple(fc.integer({ min: 0xd800, max: 0xdbff }), fc.integer({ min: 0xdc00, max: 0xdfff }))
  .map(([high, low]) => hex(high, false) + hex(low, true));

const wellFormedPiece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "Z", "0", " ", "/", "é", "日", "😀") },
  { weight: 3, arbitrary: plainCharacter },
  { weight: 2, arbitrary: fc.constantFrom("\\n", "\\t", "\\r", "\\b", "\\f", '\\"', "\\\\", "\\/") },
  { weight: 1, arbitrary: escapedUnit(0xd7ff) },
  { weight: 1, arbitrary: pair },
);

const anyPiece = fc.oneof({ weight: 9, arbitrary: wellFormedPiece }, { weight: 1, arbitrary: escapedUnit(0xffff) });

const quoted = (pieces: readonly string[]): string => `"${pieces.join("")}"`;

/** A string's source text without lone surrogate escapes. */
export const wellFormedString = fc.array(wellFormedPiece, { maxLength: 12 }).map(quoted);

/** A string's source text. */
export const stringText = fc.array(anyPiece, { maxLength: 12 }).map(quoted);

const numberText = fc.oneof(
  fc.constantFrom(
    "0",
    "-0",
    "0.0",
    "-0.0e-0",
    "1E400",
    "1e+09",
    "9007199254740993",
    "0.1000000000000000055",
    "-1E-999",
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
);

type Texts = Record<"value" | "array" | "object", string>;

/** A document's source text whose strings come from `strings`; objects may hold a name twice only if `twice`. */
export function documentText(strings: fc.Arbitrary<string>, twice: boolean): fc.Arbitrary<string> {
  const scalar = fc.oneof(strings, numberText, fc.constantFrom("true", "false", "null"));
  const nameOf = ([, name]: readonly string[]): string => JSON.parse(name ?? "") as string;
  const { value } = fc.letrec<Texts>((tie) => {
    const items = fc.array(
      fc.tuple(space, tie("value"), space).map((parts) => parts.join("")),
      { maxLength: 5 },
    );
    const member = fc.tuple(space, strings, space, fc.constant(":"), space, tie("value"), space);
    const members = twice
      ? fc.array(member, { maxLength: 6 })
      : fc.uniqueArray(member, { maxLength: 6, selector: nameOf });
    return {
      value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, tie("array"), tie("object")),
      array: fc.tuple(space, items).map(([before, all]) => `[${all.length === 0 ? before : all.join(",")}]`),
      object: fc
        .tuple(space, members)
        .map(([before, all]) => `{${all.length === 0 ? before : all.map((parts) => parts.join("")).join(",")}}`),
    };
  });
  return fc.tuple(space, value, space).map((parts) => parts.join(""));
}

/** Ascending places to cut a body of any length, as fractions of it. */
export const cutFractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

export function cutsOf(length: number, fractions: readonly number[]): number[] {
  return fractions.map((fraction) => Math.floor(fraction * length)).sort((a, b) => a - b);
}
