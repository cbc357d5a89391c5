import { newestFirst } from "../keyring/entry-order.ts";
import type { KeyringEntry } from "../keyring/keyring-file.ts";
import { scopeName } from "../scope-name.ts";

/** What a rotation goes by: milliseconds since 1970, and milliseconds. */
export interface RotationTiming {
  readonly nowMs: number;
  /** A scope whose newest key is this old gets a new one; absent = never. */
  readonly everyMs: number | undefined;
  /** How long every sidecar has to learn what changed. */
  readonly spreadMs: number;
}

/** What is due in a keyring. */
export interface DueRotation {
  /** Pending keys whose time has come. */
  readonly activate: readonly KeyringEntry[];
  /** Active keys of which a newer one has sealed long enough to be in every sidecar: they seal no more. */
  readonly close: readonly KeyringEntry[];
  /** Scopes whose newest key is old. */
  readonly renew: readonly KeyringEntry["scope"][];
}

/**
 * What is due now, and nothing else: of randomized keys only, and never a retirement. Deterministic keys are no business of a
 * schedule: a second one would break equality and unique constraints of stored data.
 */
export function dueRotation(entries: readonly KeyringEntry[], timing: RotationTiming): DueRotation {
  const scopes = Map.groupBy(
    entries.filter(({ use, state }) => use === "randomized" && (state === "pending" || state === "active")),
    ({ scope }) => scopeName(scope),
  );
  const due = [...scopes.values()].map((keys) => dueInScope(keys.toSorted(newestFirst), timing));
  return {
    activate: due.flatMap(({ activate }) => activate),
    close: due.flatMap(({ close }) => close),
    renew: due.flatMap(({ renew }) => renew),
  };
}

/** `keys`: pending and active ones of one scope, newest first. */
function dueInScope(keys: readonly KeyringEntry[], { nowMs, everyMs, spreadMs }: RotationTiming): DueRotation {
  const [newest] = keys;
  const successor = keys.findIndex(
    ({ state, notBefore }) => state === "active" && Date.parse(notBefore) + spreadMs <= nowMs,
  );
  const superseded = successor < 0 ? [] : keys.slice(successor + 1);
  const isOld = newest !== undefined && everyMs !== undefined && Date.parse(newest.createdAt) + everyMs <= nowMs;
  return {
    activate: keys.filter(({ state, notBefore }) => state === "pending" && Date.parse(notBefore) <= nowMs),
    close: superseded.filter(({ state }) => state === "active"),
    renew: isOld && keys.some(({ state }) => state === "active") ? [newest.scope] : [],
  };
}

/** Scopes in which a key of `use` seals now, each once. */
export function sealingScopes(
  entries: readonly KeyringEntry[],
  use: KeyringEntry["use"],
): readonly KeyringEntry["scope"][] {
  const active = entries.filter((entry) => entry.use === use && entry.state === "active");
  return [...new Map(active.map(({ scope }) => [scopeName(scope), scope])).values()];
}
