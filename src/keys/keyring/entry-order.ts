import type { KeyringEntry } from "./keyring-file.ts";

type Ranked = Pick<KeyringEntry, "createdAt" | "id">;

/** Newest first: latest `createdAt`, then highest id. Both compare as text. */
export function newestFirst(a: Ranked, b: Ranked): number {
  return `${a.createdAt}${a.id}` < `${b.createdAt}${b.id}` ? 1 : -1;
}
