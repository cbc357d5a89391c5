import { toBase64url } from "../../base/bytes.ts";
import { dataContext } from "../../kms/context.ts";
import { newestFirst } from "../keyring/entry-order.ts";
import { definedScope, sameScope, type EntryScope } from "../keyring/entry-scope.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { printTime, type KeyringEntry, type KeyringWrap } from "../keyring/keyring-file.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import type { KeyUse } from "../keys.ts";
import { generateProvenKey, type ProvenKey } from "./proven-key.ts";

/** Mounted files reach every pod within two minutes, and sidecars read them every ten seconds. */
export const defaultSpreadMs = 10 * 60_000;

/** What a new key is for. */
export interface KeyPurpose {
  readonly use: KeyUse;
  readonly scope: EntryScope;
}

/** What an entry holds before its place in time is known. */
export type MintedKey = Pick<KeyringEntry, "id" | "use" | "scope" | "wraps">;

/** A new key under all of the office's KEKs, each wrap proven. Needs no lock: nothing is written. Throws `config_invalid`, `kms_*`. */
export async function mintKey(office: KeyringOffice, { use, scope }: KeyPurpose): Promise<MintedKey> {
  const defined = definedScope(scope);
  const proven = await generateProvenKey(office.keks, office.kms, dataContext(defined));
  proven.plaintext.fill(0);
  return { id: proven.id.toString("hex"), use, scope: defined, wraps: printedWraps(proven) };
}

/** When a new key begins: milliseconds since 1970. */
export interface EntryStart {
  readonly state: "pending" | "active";
  readonly nowMs: number;
  readonly notBeforeMs: number;
}

/**
 * The entry of a new key. It is the newest of its scope and use even where an older one was made under a clock that ran ahead,
 * or a rotation would change nothing.
 */
export function newEntry(keyring: Keyring, key: MintedKey, { state, nowMs, notBeforeMs }: EntryStart): KeyringEntry {
  const { id, use, scope, wraps } = key;
  const [newest] = keyring.entries.filter((each) => isLike(each, key)).sort(newestFirst);
  const createdMs = newest === undefined ? nowMs : Math.max(nowMs, Date.parse(newest.createdAt) + 1000);
  return { id, use, scope, state, createdAt: printTime(createdMs), notBefore: printTime(notBeforeMs), wraps };
}

/** Of the same use and exactly the same scope. */
export function isLike(entry: KeyringEntry, { use, scope }: KeyPurpose): boolean {
  return entry.use === use && sameScope(entry.scope, scope);
}

export function printedWraps(key: ProvenKey): readonly KeyringWrap[] {
  return key.wraps.map(({ kek, wrapped }) => ({ kek, wrapped: toBase64url(wrapped) }));
}
