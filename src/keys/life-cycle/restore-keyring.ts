import { canonicalJson } from "../../base/canonical-json.ts";
import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import { changeKeyring, openKeyring, writeNewKeyring } from "../keyring/change-keyring.ts";
import { assertOnwardChange } from "../keyring/entry-transitions.ts";
import type { ErasureReceipt } from "./erasure-receipt.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { backupOf, type KeyringBackup } from "./keyring-backup.ts";
import { printTime, shardOf, type KeyringEntry, type KeyringFile } from "../keyring/keyring-file.ts";
import { listKeys } from "./keyring-life-cycle.ts";
import type { KeyringMac } from "../keyring/keyring-mac.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import { verifyKeyring } from "../keyring/keyring-root.ts";
import { shardAt, shardHolding, withEntries, type ShardContent } from "../keyring/keyring-shard.ts";
import type { KeyringStore } from "../keyring/keyring-store.ts";
import { mergeEntries } from "./merge-entries.ts";

export interface RestoreOrder {
  readonly backup: KeyringBackup;
  /** Of keys that were destroyed since the backup was made, which must not come back. */
  readonly receipts?: readonly ErasureReceipt[] | undefined;
  /** What is written gets a higher generation than this, which is the highest that a sidecar has seen. */
  readonly above?: number | undefined;
  /** Also where the keyring in place is newer than the backup and something would be added to it. */
  readonly allowOlder?: boolean | undefined;
}

export interface Restored {
  /** False = there was a keyring, and the backup was merged into it. */
  readonly created: boolean;
  /** The keyring as it stands now. */
  readonly keyring: Keyring;
  /** Entries that came back or changed. */
  readonly changed: readonly KeyringEntry[];
}

/** The keyring, verified, as one document. Throws what `openKeyring` throws. */
export async function backUpKeyring(office: KeyringOffice): Promise<KeyringBackup> {
  return backupOf(await listKeys(office), printTime(office.clock.wallMs()));
}

/**
 * Puts a backup in place where no keyring is, or merges it into the one that is there: an entry of either stays, no state goes
 * back, and a key that was destroyed in one of them or by a receipt stays destroyed. Done again after an interruption, it goes on.
 * Throws `keyring_stale` (the keyring in place is newer), `keyring_forged` (another root), `receipt_invalid`, and what opening and
 * changing a keyring throws: a keyring in place that is broken has to be moved away by hand.
 */
export async function restoreKeyring(office: KeyringOffice, order: RestoreOrder): Promise<Restored> {
  const before = await standingKeyring(office);
  const { keyring } = order.backup;
  const mac = await verifyKeyring(keyring, office.kms, office.rootId, office.keks);
  try {
    const source = { order, saved: savedEntries(order, mac), nowMs: office.clock.wallMs() };
    if (before === undefined) await createAnew(office.store, source, mac);
    else await mergeInto(office, before, source);
  } finally {
    mac.end();
  }
  const after = await listKeys(office);
  return {
    created: before === undefined,
    keyring: after,
    changed: changedEntries(before?.entries ?? [], after.entries),
  };
}

interface Source {
  readonly order: RestoreOrder;
  /** What the backup and the receipts say. */
  readonly saved: readonly KeyringEntry[];
  readonly nowMs: number;
}

/** `undefined` = none that could be read; making one fails where one is. */
async function standingKeyring(office: KeyringOffice): Promise<Keyring | undefined> {
  try {
    const { keyring, mac } = await openKeyring(office);
    mac.end();
    return keyring;
  } catch (error) {
    if (hasCode(error, "file_unreadable")) return undefined;
    throw error;
  }
}

async function createAnew(store: KeyringStore, { order, saved }: Source, mac: KeyringMac): Promise<void> {
  const { shards } = order.backup.keyring;
  const files = shards.map((shard) => {
    const generation = Math.max(shard.generation, order.above ?? 0) + 1;
    return mac.sign({ ...withEntries(shard, ofShard(saved, shard.shard)), generation });
  });
  await writeNewKeyring(store, files);
}

async function mergeInto(office: KeyringOffice, before: Keyring, source: Source): Promise<void> {
  // All shards are judged before one is written.
  const indexes = [...before.shards.keys()].filter((index) => mergedShard(before, index, source) !== undefined);
  for (const index of indexes)
    await changeKeyring(
      office,
      (keyring) => Promise.resolve({ shard: mergedShard(keyring, index, source), result: undefined }),
      assertOnwardChange,
    );
}

/** `undefined` = nothing comes of the backup here. Throws `keyring_forged`, `keyring_invalid`, `keyring_stale`. */
function mergedShard(keyring: Keyring, index: number, source: Source): ShardContent | undefined {
  const { order, saved, nowMs } = source;
  const { shards, root } = order.backup.keyring;
  if (root.id !== keyring.root.id)
    throw new SealwrightError("keyring_forged", { reason: "the backup is of another root" });
  if (shards.length !== keyring.shards.length)
    throw new SealwrightError("keyring_invalid", { reason: "the backup has another number of shards" });
  const [standing, other] = [shardAt(keyring, index), shardAt(order.backup.keyring, index)];
  const savedIsNewer = (id: string): boolean =>
    shardHolding(order.backup.keyring, id).generation > shardHolding(keyring, id).generation;
  const merged = ofShard(mergeEntries({ standing: keyring.entries, saved, savedIsNewer, nowMs }), standing.shard);
  const same = changedEntries(standing.entries, merged).length === 0;
  const above = order.above ?? 0;
  if (same && above < standing.generation) return undefined;
  if (!same && other.generation < standing.generation && order.allowOlder !== true)
    throw new SealwrightError("keyring_stale", { reason: "the backup is older than the keyring in place" });
  return { ...withEntries(standing, merged), generation: Math.max(standing.generation, other.generation, above) };
}

/** The backup's entries, but for those that receipts say were destroyed. Throws `receipt_invalid`. */
function savedEntries({ backup, receipts = [] }: RestoreOrder, mac: KeyringMac): readonly KeyringEntry[] {
  for (const receipt of receipts) {
    if (!mac.hasSigned(receipt)) throw new SealwrightError("receipt_invalid", { reason: "not signed by this root" });
  }
  const tombstones = new Map(receipts.map((receipt) => [receipt.key.id, tombstoneOf(receipt)]));
  return [...backup.keyring.entries.filter(({ id }) => !tombstones.has(id)), ...tombstones.values()];
}

/** Also of a key that is younger than the backup: its id is never to be taken for unknown. */
function tombstoneOf({ key }: ErasureReceipt): KeyringEntry {
  const { id, use, scope, createdAt, retiredAt } = key;
  return { id, use, scope, state: "retired", createdAt, notBefore: retiredAt, wraps: [] };
}

function ofShard(entries: readonly KeyringEntry[], { index, count }: KeyringFile["shard"]): readonly KeyringEntry[] {
  return entries.filter(({ id }) => shardOf(id, count) === index);
}

/** Of `after`, what is not so in `before`. */
function changedEntries(before: readonly KeyringEntry[], after: readonly KeyringEntry[]): readonly KeyringEntry[] {
  const texts = new Map(before.map((entry) => [entry.id, canonicalJson(entry)]));
  return after.filter((entry) => texts.get(entry.id) !== canonicalJson(entry));
}
