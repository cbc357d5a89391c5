import { SealwrightError } from "../../base/sealwright-error.ts";
import type { Keyring } from "./keyring.ts";
import type { KeyringEntry } from "./keyring-file.ts";

/** Fewer digits than this are a slip of the hand, not a choice. */
const fewestDigits = 8;

/** The entry that `id` names: all 64 digits, or the first ones of exactly one entry. Throws `key_state`. */
export function entryNamed(keyring: Keyring, id: string): KeyringEntry {
  const [entry, another] = keyring.entries.filter((each) => id.length >= fewestDigits && each.id.startsWith(id));
  if (entry === undefined) throw new SealwrightError("key_state", { reason: "no such key" });
  if (another !== undefined) throw new SealwrightError("key_state", { reason: "more than one key begins like this" });
  return entry;
}

/** A refusal that names the key by its first 16 digits. */
export function keyState(reason: string, { id }: Pick<KeyringEntry, "id">): SealwrightError {
  return new SealwrightError("key_state", { reason, keyId: id.slice(0, 16) });
}
