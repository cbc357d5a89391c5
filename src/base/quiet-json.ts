/** `undefined` for what is no JSON: the parser's own message would quote it, and with it a key or a token. */
export function quietJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
