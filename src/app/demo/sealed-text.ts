/** Reading stored documents as an outsider does: which strings in them are sealed values. */

const sealedValue = /"swr1\.[A-Za-z0-9_-]{40,}"/g;

/** How many sealed values a document's JSON text holds. */
export const countSealed = (json: string): number => json.match(sealedValue)?.length ?? 0;

/** How many of them are bound to their document's id: bit 4 of the second byte of a sealed value's envelope. */
export const countBound = (json: string): number =>
  (json.match(sealedValue) ?? []).filter((text) => ((Buffer.from(text.slice(6, -1), "base64url")[1] ?? 0) & 0x10) !== 0)
    .length;

export const isSealed = (value: unknown): value is string => typeof value === "string" && value.startsWith("swr1.");

/** True when `json` holds none of `texts`. */
export const holdsNone = (json: string, texts: readonly string[]): boolean =>
  texts.every((text) => !json.includes(text) && !json.includes(JSON.stringify(text).slice(1, -1)));
