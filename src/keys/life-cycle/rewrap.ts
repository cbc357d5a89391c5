import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import { dataContext, rootContext } from "../../kms/context.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { KeyringEntry, KeyringFile, KeyringWrap } from "../keyring/keyring-file.ts";
import { listKeys } from "./keyring-life-cycle.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import { shardAt, withEntries, type ShardContent } from "../keyring/keyring-shard.ts";
import { changeKeyring } from "../keyring/change-keyring.ts";
import { entryNamed } from "../keyring/entry-named.ts";
import { laboured, paused, type Labour } from "./labour.ts";
import type { WrapHolder } from "./open-wrap.ts";
import { rewrapKey, type RewrapOrder } from "./rewrap-key.ts";
import { editedWraps, isEmpty, noEdits, type WrapEdits } from "./wrap-edits.ts";

/** Keys whose new wraps are written together: what an interruption has to do again at most. */
const batch = 1000;
/** How often a write is tried while others are changing the keyring. */
const writeAttempts = 20;

/** Counts of keys, the root among them, and of wraps. */
export interface RewrapReport {
  readonly keys: number;
  readonly changedKeys: number;
  readonly replaced: number;
  readonly added: number;
  readonly dropped: number;
}

/**
 * Rewraps all keys of the keyring, retired ones too, and its root; or only those that `only` names. Data is never touched. The
 * lock is held for writing alone, and what others changed meanwhile stays. Interrupted, it leaves a valid keyring, and a next run
 * goes on: wraps that `to` and `drop` have done already cost no call.
 * Throws what `rewrapKey` throws, `keyring_*`; what was written before stays written.
 */
export async function rewrapKeyring(
  office: KeyringOffice,
  order: RewrapOrder & { readonly only?: readonly string[] | undefined },
  labour: Labour,
): Promise<RewrapReport> {
  if (order.to !== undefined && !office.kms.has(order.to))
    throw new SealwrightError("config_invalid", { reason: "unknown KEK", kek: order.to });
  return new KeyringRewrap(office, order, labour).run(order.only);
}

class KeyringRewrap {
  readonly #office: KeyringOffice;
  readonly #order: RewrapOrder;
  readonly #labour: Labour;
  readonly #counts = { changedKeys: 0, replaced: 0, added: 0, dropped: 0 };
  #done = 0;

  constructor(office: KeyringOffice, order: RewrapOrder, labour: Labour) {
    this.#office = office;
    this.#order = order;
    this.#labour = labour;
  }

  async run(only: readonly string[] | undefined): Promise<RewrapReport> {
    const keyring = await listKeys(this.#office);
    const chosen = only === undefined ? undefined : new Set(only.map((id) => entryNamed(keyring, id).id));
    const wanted = keyring.entries.filter(({ id, wraps }) => wraps.length > 0 && chosen?.has(id) !== false);
    const total = wanted.length + (chosen === undefined ? 1 : 0);
    if (chosen === undefined) await this.#rewrapRoot(keyring, total);
    const ids = new Set(wanted.map(({ id }) => id));
    for (const file of keyring.shards) {
      const entries = file.entries.filter(({ id }) => ids.has(id));
      for (let at = 0; at < entries.length; at += batch)
        await this.#rewrapEntries(file.shard.index, entries.slice(at, at + batch), total);
    }
    return { keys: total, ...this.#counts };
  }

  /** One root, in every shard. Shards that an interrupted run left behind are brought up with the first. */
  async #rewrapRoot(keyring: Keyring, total: number): Promise<void> {
    const { id, wraps } = keyring.root;
    const [edits = noEdits] = await this.#work([{ id, wraps, context: rootContext }], total);
    const fresh = editedWraps(wraps, edits, this.#office.keks);
    for (const { shard, root } of keyring.shards) {
      if (sameWraps(root.wraps, fresh)) continue;
      await this.#write((now) => {
        const file = shardAt(now, shard.index);
        return sameWraps(file.root.wraps, root.wraps) ? withRootWraps(file, fresh) : undefined;
      });
    }
  }

  async #rewrapEntries(index: number, entries: readonly KeyringEntry[], total: number): Promise<void> {
    const holders = entries.map(({ id, scope, wraps }) => ({ id, wraps, context: dataContext(scope) }));
    const all = await this.#work(holders, total);
    const edits = new Map(holders.map(({ id }, place) => [id, all[place] ?? noEdits]));
    if (all.every(isEmpty)) return;
    await this.#write((now) => {
      const file = shardAt(now, index);
      const edited = (entry: KeyringEntry): KeyringEntry => {
        const wraps = editedWraps(entry.wraps, edits.get(entry.id) ?? noEdits, this.#office.keks);
        return sameWraps(wraps, entry.wraps) ? entry : { ...entry, wraps };
      };
      return withEntries(file, file.entries.map(edited));
    });
  }

  async #work(holders: readonly WrapHolder[], total: number): Promise<readonly WrapEdits[]> {
    const before = this.#done;
    const edits = await laboured(holders, (holder) => rewrapKey(holder, this.#order, this.#office.kms), {
      ...this.#labour,
      progress: (done, _, waiting) => this.#labour.progress(before + done, total, waiting),
    });
    this.#done += holders.length;
    for (const each of edits) this.#count(each);
    return edits;
  }

  /** Waits while somebody else changes the keyring: the work at the key service is not thrown away for that. */
  async #write(content: (now: Keyring) => ShardContent | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await changeKeyring(this.#office, (now) => Promise.resolve({ shard: content(now), result: undefined }));
        return;
      } catch (error) {
        if (attempt >= writeAttempts || !hasCode(error, "keyring_busy", "kms_unavailable")) throw error;
        await paused(attempt, this.#labour);
      }
    }
  }

  #count(edits: WrapEdits): void {
    if (isEmpty(edits)) return;
    this.#counts.changedKeys += 1;
    this.#counts.replaced += edits.replaced.length;
    this.#counts.added += edits.added.length;
    this.#counts.dropped += edits.dropped.length;
  }
}

function withRootWraps(file: KeyringFile, wraps: readonly KeyringWrap[]): ShardContent {
  return { ...withEntries(file, file.entries), root: { id: file.root.id, wraps } };
}

function sameWraps(a: readonly KeyringWrap[], b: readonly KeyringWrap[]): boolean {
  return (
    a.length === b.length && a.every(({ kek, wrapped }, index) => b[index]?.kek === kek && b[index].wrapped === wrapped)
  );
}
