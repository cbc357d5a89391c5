/** RFC 8259 section 3: the three literal names, in lower case only. */
export interface Literal {
  readonly kind: "true" | "false" | "null";
  readonly spelling: Buffer;
}

export const literals = {
  true: { kind: "true", spelling: Buffer.from("true") },
  false: { kind: "false", spelling: Buffer.from("false") },
  null: { kind: "null", spelling: Buffer.from("null") },
} as const satisfies Record<string, Literal>;
