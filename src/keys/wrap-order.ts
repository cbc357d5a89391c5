import type { Kms } from "../kms/kms.ts";

/** KEKs of the configuration, and which of them are asked first. */
export interface KekOrder {
  readonly kms: ReadonlyMap<string, Kms>;
  /** Names in order of preference: `keys.kek`, then `keys.wraps`. Whatever else the configuration names comes after them. */
  readonly preferred: readonly string[];
}

/** `wraps` by KEKs that are configured and can unwrap here, in order of preference; ties stay as they were. */
export function wrapsInOrder<W extends { readonly kek: string }>(
  wraps: readonly W[],
  { kms, preferred }: KekOrder,
): readonly { readonly wrap: W; readonly kms: Kms }[] {
  const rank = (kek: string): number => {
    const place = preferred.indexOf(kek);
    return place < 0 ? preferred.length : place;
  };
  return wraps
    .flatMap((wrap) => {
      const asked = kms.get(wrap.kek);
      return asked?.canUnwrap === true ? [{ wrap, kms: asked }] : [];
    })
    .sort((a, b) => rank(a.wrap.kek) - rank(b.wrap.kek));
}
