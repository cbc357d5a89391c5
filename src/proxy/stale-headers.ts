/** Digests of a body that is rewritten on its way (RFC 9530, RFC 1864, RFC 3230), and what asks for them. */
const digests: ReadonlySet<string> = new Set([
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  "want-digest",
  "want-content-digest",
  "want-repr-digest",
]);

export const isDigest = (name: string): boolean => digests.has(name);

/** A slice of a sealed document can't be opened, and a slice of an opened one would not be what the tag names. */
export const isRange = (name: string): boolean => name === "range" || name === "if-range";

/** What a cache or a reader would believe of the stored bytes instead of the opened ones. */
const voidOnOpened: ReadonlySet<string> = new Set([
  "accept-ranges",
  "content-range",
  "cache-control",
  "pragma",
  "expires",
  "age",
  "surrogate-control",
  "cdn-cache-control",
  "vary",
]);

export const isVoidOnOpened = (name: string): boolean => voidOnOpened.has(name);
