import type { KeyringWrap } from "../keyring/keyring-file.ts";

/** What rewrapping makes of one key's wraps. Every wrap that comes in has been proven. */
export interface WrapEdits {
  /** Of a KEK that wraps the key already: in place of exactly the wrap that was read. */
  readonly replaced: readonly { readonly old: KeyringWrap; readonly wrapped: string }[];
  readonly added: readonly KeyringWrap[];
  readonly dropped: readonly DroppedWrap[];
}

export interface DroppedWrap {
  readonly old: KeyringWrap;
  /** A wrap that gave the key back in this run: without it the old one stays. */
  readonly relying: KeyringWrap;
}

export const noEdits: WrapEdits = Object.freeze({ replaced: [], added: [], dropped: [] });

export function isEmpty({ replaced, added, dropped }: WrapEdits): boolean {
  return replaced.length + added.length + dropped.length === 0;
}

/**
 * `wraps`, as they stand now, with the edits: a wrap that somebody changed meanwhile stays as they left it. The order is that of
 * `preferred`, then as before. A key without wraps is destroyed and stays so.
 */
export function editedWraps(
  wraps: readonly KeyringWrap[],
  edits: WrapEdits,
  preferred: readonly string[],
): readonly KeyringWrap[] {
  if (wraps.length === 0) return wraps;
  const replaced = wraps.map((wrap) => {
    const edit = edits.replaced.find(({ old }) => isSame(old, wrap));
    return edit === undefined ? wrap : { kek: wrap.kek, wrapped: edit.wrapped };
  });
  const more = edits.added.filter(({ kek }) => wraps.every((wrap) => wrap.kek !== kek));
  const all = [...replaced, ...more];
  const kept = all.filter(
    (wrap) => !edits.dropped.some(({ old, relying }) => isSame(old, wrap) && all.some((each) => isSame(each, relying))),
  );
  const rank = ({ kek }: KeyringWrap): number => {
    const place = preferred.indexOf(kek);
    return place < 0 ? preferred.length : place;
  };
  return kept.toSorted((a, b) => rank(a) - rank(b));
}

export function isSame(a: KeyringWrap, b: KeyringWrap): boolean {
  return a.kek === b.kek && a.wrapped === b.wrapped;
}
