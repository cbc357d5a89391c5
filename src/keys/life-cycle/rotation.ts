import { SealwrightError } from "../../base/sealwright-error.ts";
import { editEntries } from "../keyring/edit-entries.ts";
import { definedScope, type EntryScope } from "../keyring/entry-scope.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { printTime, type KeyringEntry, type KeyState } from "../keyring/keyring-file.ts";
import { listKeys } from "./keyring-life-cycle.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import type { KeyUse } from "../keys.ts";
import { laboured, type Labour } from "./labour.ts";
import { mintKey, newEntry } from "./new-entry.ts";
import { dueRotation, sealingScopes, type DueRotation, type RotationTiming } from "./rotation-plan.ts";
import { scopeName } from "../scope-name.ts";

/** New keys that are made before some are written: what an interruption throws away at most. */
const batch = 1000;

/** Which keys to rotate: one use of one scope, or of every scope in which a key seals. */
export interface RotationWish {
  readonly use: KeyUse;
  readonly scope: EntryScope | "all";
  readonly spreadMs: number;
}

export interface RotatedKeys {
  /** Made now, pending. */
  readonly added: readonly KeyringEntry[];
  /** Pending already, from a rotation that has not come to its end: no second one is made beside them. */
  readonly waiting: readonly KeyringEntry[];
}

/**
 * Adds a pending key to each scope that the wish names. Nothing else changes: older keys seal until it is activated.
 * Throws `key_state` (no key seals in the scope), `keyring_*`, `kms_*`.
 */
export async function rotateKeys(office: KeyringOffice, wish: RotationWish, labour: Labour): Promise<RotatedKeys> {
  const { use, spreadMs } = wish;
  const keyring = await listKeys(office);
  const sealing = sealingScopes(keyring.entries, use);
  const name = wish.scope === "all" ? undefined : scopeName(definedScope(wish.scope));
  const scopes = sealing.filter((scope) => name === undefined || scopeName(scope) === name);
  if (scopes.length === 0) throw new SealwrightError("key_state", { reason: "no key of this use seals in this scope" });
  const names = new Set(scopes.map(scopeName));
  const waitingIn = ({ entries }: Keyring): readonly KeyringEntry[] =>
    entries.filter((entry) => entry.state === "pending" && entry.use === use && names.has(scopeName(entry.scope)));
  const wanted = (now: Keyring): ReadonlySet<string> =>
    names.difference(new Set(waitingIn(now).map(({ scope }) => scopeName(scope))));
  const open = wanted(keyring);
  const missing = scopes.filter((scope) => open.has(scopeName(scope)));
  const added = await addPending(office, missing, { use, spreadMs, wanted }, labour);
  return { added, waiting: waitingIn(keyring) };
}

/** What a scheduled rotation did. */
export interface RotationDone {
  readonly activated: readonly KeyringEntry[];
  readonly closed: readonly KeyringEntry[];
  readonly added: readonly KeyringEntry[];
}

/** What `rotateDue` would do now. */
export async function lookForDue(office: KeyringOffice, timing: Omit<RotationTiming, "nowMs">): Promise<DueRotation> {
  const { entries } = await listKeys(office);
  return dueRotation(entries, { ...timing, nowMs: office.clock.wallMs() });
}

/**
 * Does what is due, and nothing else, however often it runs and wherever it was interrupted: see `dueRotation`.
 * Throws `keyring_*`, `kms_*`; what was done before stays done.
 */
export async function rotateDue(
  office: KeyringOffice,
  timing: Omit<RotationTiming, "nowMs">,
  labour: Labour,
): Promise<RotationDone> {
  const due = ({ entries }: Keyring): DueRotation => dueRotation(entries, { ...timing, nowMs: office.clock.wallMs() });
  const moved = (entries: readonly KeyringEntry[], state: KeyState): readonly KeyringEntry[] =>
    entries.map((entry) => ({ ...entry, state, notBefore: printTime(office.clock.wallMs()) }));
  const activated = await editEntries(office, (keyring) => moved(due(keyring).activate, "active"));
  const closed = await editEntries(office, (keyring) => moved(due(keyring).close, "decrypt-only"));
  const { renew } = due(await listKeys(office));
  const wanted = (keyring: Keyring): ReadonlySet<string> => new Set(due(keyring).renew.map(scopeName));
  const order: PendingOrder = { use: "randomized", spreadMs: timing.spreadMs, wanted };
  return { activated, closed, added: await addPending(office, renew, order, labour) };
}

interface PendingOrder {
  readonly use: KeyUse;
  readonly spreadMs: number;
  /** Names of the scopes that still want a key, in the keyring as it stands. */
  readonly wanted: (keyring: Keyring) => ReadonlySet<string>;
}

/** Makes keys without the lock, then writes those that are wanted still. */
async function addPending(
  office: KeyringOffice,
  scopes: readonly KeyringEntry["scope"][],
  { use, spreadMs, wanted }: PendingOrder,
  labour: Labour,
): Promise<readonly KeyringEntry[]> {
  const added: KeyringEntry[] = [];
  for (let at = 0; at < scopes.length; at += batch) {
    const progress: Labour["progress"] = (done, _, waiting) => labour.progress(at + done, scopes.length, waiting);
    const minted = await laboured(scopes.slice(at, at + batch), (scope) => mintKey(office, { use, scope }), {
      ...labour,
      progress,
    });
    const entries = await editEntries(office, (keyring) => {
      const names = wanted(keyring);
      const nowMs = office.clock.wallMs();
      const start = { state: "pending", nowMs, notBeforeMs: nowMs + spreadMs } as const;
      return minted.filter(({ scope }) => names.has(scopeName(scope))).map((key) => newEntry(keyring, key, start));
    });
    added.push(...entries);
  }
  return added;
}
