/**
 * RFC 8259 section 6 as a state table:
 *
 *     start -> minus? (zero | whole) (point fraction)? (e sign? exponent)?
 *
 * `numberStep[state << 8 | byte]` is the next state, 0 where the byte cannot follow.
 */
export const numberState = {
  start: 0,
  minus: 1,
  zero: 2,
  whole: 3,
  point: 4,
  fraction: 5,
  e: 6,
  sign: 7,
  exponent: 8,
} as const;

const states = Object.keys(numberState).length;

export const numberStep = new Uint8Array(states << 8);

/** 1 for the states in which a number may end. */
export const numberMayEnd = new Uint8Array(states);

const allow = (from: number, bytes: string, to: number): void => {
  for (const byte of Buffer.from(bytes)) numberStep[(from << 8) | byte] = to;
};

const s = numberState;
allow(s.start, "-", s.minus);
for (const from of [s.start, s.minus]) {
  allow(from, "0", s.zero);
  allow(from, "123456789", s.whole);
}
allow(s.whole, "0123456789", s.whole);
for (const from of [s.zero, s.whole]) allow(from, ".", s.point);
for (const from of [s.point, s.fraction]) allow(from, "0123456789", s.fraction);
for (const from of [s.zero, s.whole, s.fraction]) allow(from, "eE", s.e);
allow(s.e, "+-", s.sign);
for (const from of [s.e, s.sign, s.exponent]) allow(from, "0123456789", s.exponent);
for (const state of [s.zero, s.whole, s.fraction, s.exponent]) numberMayEnd[state] = 1;
