import type { KeyringEntry } from "./keyring-file.ts";

/** Whose data a key seals; an absent member = any. */
export interface EntryScope {
  readonly tenant?: string | undefined;
  readonly dataset?: string | undefined;
}

/** As the keyring writes scopes: absent members are left out. */
export function definedScope({ tenant, dataset }: EntryScope): KeyringEntry["scope"] {
  return { ...(dataset === undefined ? {} : { dataset }), ...(tenant === undefined ? {} : { tenant }) };
}

export function sameScope(a: EntryScope, b: EntryScope): boolean {
  return a.tenant === b.tenant && a.dataset === b.dataset;
}

/** Some tenant and dataset are in both: a key of either would seal what the other's seals now. */
export function scopesOverlap(a: EntryScope, b: EntryScope): boolean {
  const meets = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined || one === other;
  return meets(a.tenant, b.tenant) && meets(a.dataset, b.dataset);
}
