import { SealwrightError } from "../../base/sealwright-error.ts";
import type { KeyringEntry, KeyState } from "./keyring-file.ts";
import type { ShardContent } from "./keyring-shard.ts";

/** Where a state may lead. Nothing leads back, and a retired key stays as a tombstone for ever. */
const next: Readonly<Record<KeyState, readonly KeyState[]>> = Object.freeze({
  pending: ["active", "retired"],
  active: ["decrypt-only"],
  "decrypt-only": ["retired"],
  retired: [],
});

const order: readonly KeyState[] = Object.freeze(["pending", "active", "decrypt-only", "retired"]);

/** `a` comes later in a key's life than `b`. */
export function isFurther(a: KeyState, b: KeyState): boolean {
  return order.indexOf(a) > order.indexOf(b);
}

/**
 * The one gate for changes of a shard: no entry leaves, states only move on, and what an entry is (id, use, scope, creation)
 * never changes. Throws `internal`: whoever asks for such a change is defective.
 */
export function assertLawfulChange(before: ShardContent, after: ShardContent): void {
  assertChange(before, after, (from, to) => next[from].includes(to));
}

/** The gate for what is told from a backup: a state may have moved on by several steps. Throws `internal`. */
export function assertOnwardChange(before: ShardContent, after: ShardContent): void {
  assertChange(before, after, (from, to) => isFurther(to, from));
}

function assertChange(
  before: ShardContent,
  after: ShardContent,
  mayLead: (from: KeyState, to: KeyState) => boolean,
): void {
  if (before.root.id !== after.root.id) throw unlawful("another root");
  const kept = new Map(after.entries.map((entry) => [entry.id, entry]));
  for (const entry of before.entries) {
    const now = kept.get(entry.id);
    if (now === undefined) throw unlawful("an entry is lost", entry);
    if (now.state !== entry.state && !mayLead(entry.state, now.state)) throw unlawful("state", entry);
    if (!isSameKey(entry, now)) throw unlawful("another key under its id", entry);
    if (entry.wraps.length === 0 && now.wraps.length > 0) throw unlawful("a destroyed key has wraps again", entry);
  }
}

function isSameKey(a: KeyringEntry, b: KeyringEntry): boolean {
  return (
    a.use === b.use &&
    a.createdAt === b.createdAt &&
    a.scope.tenant === b.scope.tenant &&
    a.scope.dataset === b.scope.dataset
  );
}

function unlawful(reason: string, entry?: KeyringEntry): SealwrightError {
  return new SealwrightError("internal", { reason, ...(entry === undefined ? {} : { keyId: entry.id.slice(0, 16) }) });
}
