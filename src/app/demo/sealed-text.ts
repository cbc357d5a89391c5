/** Reading stored documents as an outsider does: which strings in them are sealed values. */

const sealedValue = /"swr1\.[A-Za-z0-9_-]{40,}"/g;

/** How many sealed values a document's JSON text holds. */
export const countSealed = (json: string): number => json.match(sealedValue)?.length ?? 0;

export const isSealed = (value: unknown): value is string => typeof value === "string" && value.startsWith("swr1.");

/** True when `json` holds none of `texts`. */
export const holdsNone = (json: string, texts: readonly string[]): boolean =>
  texts.every((text) => !json.includes(text) && !json.includes(JSON.stringify(text).slice(1, -1)));
