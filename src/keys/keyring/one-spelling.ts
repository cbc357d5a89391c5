/**
 * The JSON value that `bytes` hold, `undefined` unless each of its tokens is spelled as ECMAScript would print it and no object
 * names a member twice. White space between tokens is free. For files that a code authenticates by value: with one spelling
 * per value, no two readers can see two different things in one file.
 */
export function oneSpelling(bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text.replaceAll(stringOrSpace, "$1") ? { value } : undefined;
  } catch {
    // The parser's message would quote the file.
    return undefined;
  }
}

/** A whole string, kept, or a run of white space between tokens, dropped. */
const stringOrSpace = /("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g;
