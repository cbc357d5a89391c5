import { dataContext } from "../kms/context.ts";
import type { KeyringReference } from "../crypto/types.ts";
import type { Keyring } from "./keyring/keyring.ts";
import type { KeyringEntry } from "./keyring/keyring-file.ts";
import type { KeyScope, KeyUse } from "./keys.ts";
import { scopeName } from "./scope-name.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/** An entry of the verified keyring, ready for use. */
export interface IndexedKey {
  /** 64 hex digits; also its name in the cache. */
  readonly id: string;
  readonly entry: KeyringEntry;
  readonly wrapped: WrappedKey;
  readonly reference: KeyringReference;
}

/** Finds the entries of one verified keyring by what requests ask for. */
export class KeyringIndex {
  readonly keyring: Keyring;
  readonly #byShortId = new Map<string, IndexedKey>();
  /** Active keys by use and scope, newest first. */
  readonly #active = new Map<string, IndexedKey[]>();

  constructor(keyring: Keyring) {
    this.keyring = keyring;
    for (const entry of keyring.entries) {
      const key = indexed(entry);
      this.#byShortId.set(key.reference.shortId.toString("latin1"), key);
      if (entry.state !== "active") continue;
      const name = activeName(entry.use, entry.scope);
      this.#active.set(name, [...(this.#active.get(name) ?? []), key]);
    }
    for (const keys of this.#active.values()) keys.sort(newestFirst);
  }

  named(shortId: Buffer): IndexedKey | undefined {
    return this.#byShortId.get(shortId.toString("latin1"));
  }

  /** Active keys of the most specific scope that has any, newest first: tenant and dataset, tenant, dataset, all. */
  active({ tenant, dataset }: KeyScope, use: KeyUse): readonly IndexedKey[] {
    return (
      this.#active.get(activeName(use, { tenant, dataset })) ??
      this.#active.get(activeName(use, { tenant })) ??
      this.#active.get(activeName(use, { dataset })) ??
      this.#active.get(activeName(use, {})) ??
      []
    );
  }

  /** The entry of that id, 64 hex digits. */
  byId(id: string): IndexedKey | undefined {
    const key = this.named(Buffer.from(id.slice(0, 32), "hex"));
    return key?.id === id ? key : undefined;
  }

  /** What may open: everything but retired keys. */
  mayOpen(id: string): boolean {
    const key = this.byId(id);
    return key !== undefined && key.entry.state !== "retired";
  }

  /** The keys that may seal, by scope and use: of randomized ones the newest first, each a stand-in for those before it. */
  sealing(): IterableIterator<readonly IndexedKey[]> {
    return this.#active.values();
  }

  /** All entries. */
  all(): IterableIterator<IndexedKey> {
    return this.#byShortId.values();
  }

  /** Keys that are wanted before anybody asks: those that will seal soon, then the newest that seal now. */
  wantedAhead(activeLimit: number): readonly IndexedKey[] {
    const all = [...this.#byShortId.values()];
    const active = all.filter(({ entry }) => entry.state === "active").sort(newestFirst);
    return [...all.filter(({ entry }) => entry.state === "pending"), ...active.slice(0, activeLimit)];
  }
}

/** True when a key of this scope may be used for data of `scope`. */
export function covers(entry: KeyringEntry, scope: KeyScope): boolean {
  const { tenant, dataset } = entry.scope;
  return (tenant === undefined || tenant === scope.tenant) && (dataset === undefined || dataset === scope.dataset);
}

function indexed(entry: KeyringEntry): IndexedKey {
  const id = Buffer.from(entry.id, "hex");
  const wraps = entry.wraps.map(({ kek, wrapped }) => ({ kek, wrapped: Buffer.from(wrapped, "base64url") }));
  return {
    id: entry.id,
    entry,
    wrapped: { id, wraps, context: dataContext(entry.scope) },
    reference: { form: "keyring", shortId: id.subarray(0, 16) },
  };
}

function activeName(use: KeyUse, scope: KeyringEntry["scope"]): string {
  return `${use}|${scopeName(scope)}`;
}

/** Latest `createdAt`, then highest id. Both compare as text. */
function newestFirst(a: IndexedKey, b: IndexedKey): number {
  const [older, newer] = [`${a.entry.createdAt}${a.id}`, `${b.entry.createdAt}${b.id}`];
  return older < newer ? 1 : -1;
}
